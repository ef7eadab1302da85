// Makes `JSONValue` usable in messages that Foundation's coders encode and decode.

extension JSONValue: Codable {
    /// Decodes a value, without positions and with numbers limited to `Int` and `Double`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self.init(.number(value.description))
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch content {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let text):
            if let value = Int(text) {
                try container.encode(value)
            } else {
                try container.encode(Double(text))
            }
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let object): try container.encode(object.values)
        }
    }
}
