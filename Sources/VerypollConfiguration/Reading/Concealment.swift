internal import Console
internal import StrictJSON

/// The credentials that a configuration contains, which the daemon does not show.
package struct Concealment: Sendable {
    /// The shortest credential that is hidden in every message, in bytes.
    ///
    /// Shorter ones occur in messages by chance.
    private static let shortest = 4

    /// The strings with credentials, and these strings as they are in the file.
    private var strings: [JSONPointer: (value: String, text: String)] = [:]
    private var secrets: [(value: String, name: String)] = []

    /// Whether any string contains a credential.
    var hasStrings: Bool { !strings.isEmpty }

    /// Returns whether a string at a place, or below it, contains a credential.
    func hasStrings(below pointer: JSONPointer) -> Bool {
        strings.keys.contains { $0.tokens.starts(with: pointer.tokens) }
    }

    /// Notes the value of a credential.
    mutating func conceal(_ value: String, of name: String) {
        guard value.utf8.count >= Self.shortest else { return }
        secrets.append((value, name))
    }

    /// Notes a string that contains credentials.
    ///
    /// - Parameters:
    ///   - value: The string.
    ///   - text: The string in the file, with the names of the credentials.
    ///   - pointer: The string's place.
    mutating func conceal(_ value: String, as text: String, at pointer: JSONPointer) {
        strings[pointer] = (value, text)
    }

    /// Returns a message about a value with the names of the credentials in place of them.
    func apply(to message: String, at pointer: JSONPointer) -> String {
        var message = message
        if let string = strings[pointer] {
            message = message.replacing(string.value.quoted, with: string.text.quoted)
        }
        for secret in secrets {
            message = message.replacing(secret.value, with: "${\(secret.name)}")
            // A message shortens long texts, perhaps within the credential.
            guard message.contains("…") else { continue }
            for count in (1..<min(secret.value.count, 65)).reversed() {
                let beginning = "\(secret.value.prefix(count))…"
                message = message.replacing(beginning, with: "${\(secret.name)}…")
            }
        }
        return message
    }

    /// Returns the members of an effective configuration with the names of the credentials in place
    /// of them.
    func apply(to members: [String: JSONValue]) -> [String: JSONValue] {
        guard !strings.isEmpty else { return members }
        var root = JSONValue.object(members)
        for (pointer, string) in strings {
            root = root.replacingString(at: pointer.tokens[...], with: string.text)
        }
        return root.object?.values ?? members
    }
}

extension JSONValue {
    /// Returns the value with another string at a path, if the path exists.
    ///
    /// A string that the effective configuration shows as an object is its address. A single
    /// element that the file writes without brackets is shown as an array.
    fileprivate func replacingString(at path: ArraySlice<String>, with text: String) -> JSONValue {
        if case .array(let elements) = content, elements.count == 1,
            path.first.map({ Int($0) == nil }) ?? true
        {
            let element = elements[0].replacingString(at: path, with: text)
            return JSONValue(.array([element]), at: position)
        }
        guard let token = path.first else {
            switch content {
            case .string: return .string(text)
            case .object(let object) where object["address"] != nil:
                return replacingString(at: ["address"], with: text)
            default: return self
            }
        }
        switch content {
        case .object(let object):
            let values = object.members.map { member in
                member.key == token
                    ? member.value.replacingString(at: path.dropFirst(), with: text) : member.value
            }
            return JSONValue(.object(JSONObject(object, values: values)), at: position)
        case .array(var elements):
            guard let index = Int(token), elements.indices.contains(index) else { return self }
            elements[index] = elements[index].replacingString(at: path.dropFirst(), with: text)
            return JSONValue(.array(elements), at: position)
        default: return self
        }
    }
}
