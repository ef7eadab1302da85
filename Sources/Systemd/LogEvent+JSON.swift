internal import Console
internal import Logging
internal import StrictJSON

extension StandardErrorLogHandler {
    /// Returns an event as a JSON object on one line.
    ///
    /// The members are `timestamp`, `level`, `message`, `message_id` if the event has one, and
    /// `fields`. The names of the fields are those of the journal in lowercase and without
    /// `VERYPOLL_`; numbers are JSON numbers. The message is escaped as in the journal.
    func json(of event: LogEvent, at timestamp: String) -> String {
        var members: [(key: String, value: JSONValue)] = [
            ("timestamp", .string(timestamp)),
            ("level", .string("\(event.level)")),
            ("message", .string(event.message.description.escapedForPeople)),
        ]
        var fields: [(key: String, value: JSONValue)] = []
        for (key, value) in values(of: event) {
            if key == MetadataKey.messageID {
                members.append(("message_id", JSONValue(value)))
            } else {
                let name = fieldName(for: key).dropFirst("VERYPOLL_".count).lowercased()
                fields.append((name, JSONValue(value)))
            }
        }
        members.append(("fields", JSONValue(.object(JSONObject(inOrder: fields)))))
        return JSONValue(.object(JSONObject(inOrder: members))).text
    }
}

extension JSONValue {
    /// Makes the JSON form of a value of a field.
    fileprivate init(_ value: Logger.MetadataValue) {
        switch value {
        case .stringConvertible(let number as any BinaryInteger & CustomStringConvertible):
            self.init(.number(number.description))
        case .stringConvertible(let isOn as Bool): self = .boolean(isOn)
        default: self = .string(value.description)
        }
    }
}
