/// The names, fields and kinds that an interface description declares.
struct InterfaceDescription {
    /// The type of a field.
    indirect enum Kind: Equatable {
        case bool
        case int
        case float
        case string
        case object
        case any
        case named(String)
        case array(Kind)
        case nullable(Kind)
    }

    struct Method {
        var input: [String: Kind]
        var output: [String: Kind]
    }

    var structs: [String: [String: Kind]] = [:]
    var enums: [String: [String]] = [:]
    var methods: [String: Method] = [:]
    var errors: [String: [String: Kind]] = [:]

    struct Unreadable: Error {
        var word: String?
    }

    init(_ text: String) throws {
        var words = Words(text)
        while let word = words.next() {
            let name = try words.required()
            switch word {
            case "interface":
                break
            case "type":
                switch try words.members() {
                case .fields(let fields): structs[name] = fields
                case .cases(let cases): enums[name] = cases
                }
            case "method":
                let input = try words.fields()
                try words.expect("->")
                methods[name] = Method(input: input, output: try words.fields())
            case "error":
                errors[name] = try words.fields()
            default:
                throw Unreadable(word: word)
            }
        }
    }
}

/// The tokens of a description without its comments.
private struct Words {
    enum Members {
        case fields([String: InterfaceDescription.Kind])
        case cases([String])
    }

    private var words: ArraySlice<Substring>

    init(_ text: String) {
        let spaced = text.split(separator: "\n").map { line in
            var spaced = ""
            for character in line.prefix(while: { $0 != "#" }) {
                spaced += "():,".contains(character) ? " \(character) " : "\(character)"
            }
            return spaced
        }
        words = spaced.joined(separator: " ").split(separator: " ")[...]
    }

    mutating func next() -> String? {
        words.popFirst().map(String.init)
    }

    mutating func required() throws -> String {
        guard let word = next() else { throw InterfaceDescription.Unreadable() }
        return word
    }

    mutating func expect(_ word: String) throws {
        let found = next()
        guard found == word else { throw InterfaceDescription.Unreadable(word: found) }
    }

    mutating func fields() throws -> [String: InterfaceDescription.Kind] {
        switch try members() {
        case .fields(let fields): fields
        case .cases(let cases): throw InterfaceDescription.Unreadable(word: cases.first)
        }
    }

    mutating func members() throws -> Members {
        try expect("(")
        var fields: [String: InterfaceDescription.Kind] = [:]
        var cases: [String] = []
        var word = try required()
        while word != ")" {
            if words.first == ":" {
                try expect(":")
                fields[word] = try kind(try required())
            } else {
                cases.append(word)
            }
            word = try required()
            if word == "," { word = try required() }
        }
        return cases.isEmpty ? .fields(fields) : .cases(cases)
    }

    private func kind(_ word: String) throws -> InterfaceDescription.Kind {
        switch word {
        case "bool": .bool
        case "int": .int
        case "float": .float
        case "string": .string
        case "object": .object
        case "any": .any
        case let word where word.hasPrefix("?"): .nullable(try kind(String(word.dropFirst())))
        case let word where word.hasPrefix("[]"): .array(try kind(String(word.dropFirst(2))))
        case let word where word.first?.isUppercase == true: .named(word)
        default: throw InterfaceDescription.Unreadable(word: word)
        }
    }
}
