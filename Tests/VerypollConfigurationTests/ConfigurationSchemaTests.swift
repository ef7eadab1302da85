internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

/// Compares the schema with the decoder's key tables.
@Suite("JSON schema of the configuration")
struct ConfigurationSchemaTests {
    /// Collects differences between the schema and the decoder, and missing descriptions.
    private struct Comparison {
        let definitions: JSONValue?
        var differences: [String] = []
        var pathCount = 0

        mutating func note(_ path: String, _ what: String) {
            differences.append("\(path): \(what)")
        }

        mutating func compare(_ schema: JSONValue, with table: KeyTable, at path: String) {
            expectString(schema, "type", "object", at: path)
            if schema["description"]?.string?.isEmpty ?? true { note(path, "no description") }
            if case .boolean(false)? = schema["additionalProperties"]?.content {
            } else {
                note(path, "additionalProperties is not false")
            }
            // A file that includes others, or is included, need not have the required keys itself.
            let required = (schema["anyOf"]?.elements.first ?? schema)["required"]?.strings ?? []
            let names = table.keys.filter(\.isRequired).map(\.name)
            if required != names { note(path, "required \(required), decoder \(names)") }
            let properties = schema["properties"]?.members ?? []
            let keys = table.keys.map(\.name)
            if properties.map(\.key) != keys {
                note(path, "properties \(properties.map(\.key)), decoder \(keys)")
            }
            for property in properties {
                guard let key = table[property.key] else { continue }
                compare(property.value, with: key, at: "\(path)/\(property.key)")
            }
        }

        private mutating func compare(_ schema: JSONValue, with key: Key, at path: String) {
            pathCount += 1
            if schema["description"]?.string?.isEmpty ?? true { note(path, "no description") }
            let own = schema["default"]?.scalar
            let other = key.fallback?.scalar
            if own != other {
                note(path, "default \(own ?? "none"), decoder \(other ?? "none")")
            }
            compare(schema, with: key.form, at: path)
        }

        private mutating func compare(_ schema: JSONValue, with form: ValueForm, at path: String) {
            switch form {
            case .ignored:
                if schema["type"] != nil { note(path, "has a type") }
            case .boolean: expectString(schema, "type", "boolean", at: path)
            case .integer(let range): expectInteger(schema, range, at: path)
            case .integerOr(let word, let range):
                let forms = schema["anyOf"]?.elements ?? []
                if forms.first?["const"]?.string != word { note(path, "not \(word)") }
                if let last = forms.last { expectInteger(last, range, at: path) }
                if forms.count != 2 { note(path, "not two forms") }
            case .span: expectString(schema, "$ref", "#/$defs/span", at: path)
            case .spanOrOff: expectString(schema, "$ref", "#/$defs/spanOrOff", at: path)
            case .choice(let words):
                let own = schema["enum"]?.strings ?? []
                if own != words { note(path, "enum \(own), decoder \(words)") }
            case .text: expectString(resolve(schema), "type", "string", at: path)
            case .textOr(let table):
                let forms = schema["anyOf"]?.elements ?? []
                guard forms.count == 2 else { return note(path, "not two forms") }
                expectString(resolve(forms[0]), "type", "string", at: path)
                compare(resolve(forms[1]), with: table, at: path)
            case .listOrOne(let element, let isEmptyAllowed):
                let forms = schema["anyOf"]?.elements ?? []
                guard forms.count == 2 else { return note(path, "not two forms") }
                let list = ValueForm.list(of: element, isEmptyAllowed: isEmptyAllowed)
                compare(forms[0], with: list, at: path)
                let count = pathCount
                compare(forms[1], with: element, at: path)
                // The same properties again.
                pathCount = count
            case .list(let element, let isEmptyAllowed):
                expectString(schema, "type", "array", at: path)
                expectAtLeastOne(schema, "minItems", !isEmptyAllowed, at: path)
                guard let items = schema["items"] else { return note(path, "no items") }
                compare(items, with: element, at: path + "/*")
            case .object(let table): compare(schema, with: table, at: path)
            case .named(let table, let isEmptyAllowed):
                expectString(schema, "type", "object", at: path)
                expectAtLeastOne(schema, "minProperties", !isEmptyAllowed, at: path)
                guard let value = schema["additionalProperties"] else {
                    return note(path, "no additionalProperties")
                }
                compare(value, with: table, at: path + "/*")
            }
        }

        private func resolve(_ schema: JSONValue) -> JSONValue {
            let name = schema["$ref"]?.string?.split(separator: "/").last
            return name.flatMap { definitions?[String($0)] } ?? schema
        }

        private mutating func expectString(
            _ schema: JSONValue,
            _ key: String,
            _ wanted: String,
            at path: String
        ) {
            let own = schema[key]?.string ?? "none"
            if own != wanted { note(path, "\(key) \(own), decoder \(wanted)") }
        }

        private mutating func expectInteger(
            _ schema: JSONValue,
            _ range: ClosedRange<Int>,
            at path: String
        ) {
            expectString(schema, "type", "integer", at: path)
            let own = [schema["minimum"]?.scalar, schema["maximum"]?.scalar]
            let wanted = [range.lowerBound, range.upperBound].map(String.init)
            if own != wanted { note(path, "range \(own), decoder \(wanted)") }
        }

        private mutating func expectAtLeastOne(
            _ schema: JSONValue,
            _ key: String,
            _ isWanted: Bool,
            at path: String
        ) {
            if schema[key]?.scalar != (isWanted ? "1" : nil) { note(path, "wrong \(key)") }
        }
    }

    private func schema() throws -> JSONValue {
        try JSONDocument(parsing: repositoryFile("config/verypolld.schema.json")).root
    }

    @Test("the schema and the decoder have the same keys, defaults, ranges and words")
    func agrees() throws {
        let schema = try schema()
        var comparison = Comparison(definitions: schema["$defs"])
        comparison.compare(schema, with: Configuration.keys, at: "")
        #expect(comparison.differences.isEmpty)
        #expect(comparison.pathCount > 60)
    }

    @Test("a difference between schema and decoder is detected")
    func notices() throws {
        let schema = try schema()
        var comparison = Comparison(definitions: schema["$defs"])
        let keys = Configuration.keys.keys.dropLast() + [Key("upstreams", .boolean, default: true)]
        comparison.compare(schema, with: KeyTable(Array(keys)), at: "")
        #expect(
            comparison.differences == [
                "/upstreams: default none, decoder true",
                "/upstreams: type object, decoder boolean",
            ]
        )
    }

    @Test("the schema has no settings beyond those that were compared")
    func coversAll() throws {
        let schema = try schema()
        var comparison = Comparison(definitions: schema["$defs"])
        comparison.compare(schema, with: Configuration.keys, at: "")
        // The definition of a file of addresses is used by allow and by deny.
        let repeated = AddressFile.keys.keys.count
        #expect(
            comparison.pathCount == schema.descriptionCount(under: "properties") + repeated
        )
    }
}

extension JSONValue {
    fileprivate var scalar: String? {
        switch content {
        case .boolean(let value): "\(value)"
        case .number(let text), .string(let text): text
        case .null, .array, .object: nil
        }
    }

    fileprivate var elements: [JSONValue] { array ?? [] }

    fileprivate var strings: [String] { elements.compactMap(\.string) }

    fileprivate var members: [JSONObject.Member] { object?.members ?? [] }

    /// Counts the members with a description in all objects under a key.
    fileprivate func descriptionCount(under key: String, inside: Bool = false) -> Int {
        let here = inside ? members.count { $0.value["description"] != nil } : 0
        return here
            + members.reduce(0) {
                $0 + $1.value.descriptionCount(under: key, inside: $1.key == key)
            }
            + elements.reduce(0) { $0 + $1.descriptionCount(under: key) }
    }
}
