internal import Console

/// Parses a JSON document by recursive descent.
///
/// It parses the configuration into a tree of values with their positions. For a call from a
/// Varlink client, it only checks the grammar and keeps no values, so that a long message costs no
/// memory.
struct JSONParser {
    /// The most duplicate keys that are listed.
    private static let duplicateLimit = 100

    /// The first of the duplicate keys found so far.
    private(set) var duplicates: [JSONDocument.Duplicate] = []
    /// The number of duplicate keys that are not listed.
    private(set) var omittedDuplicateCount = 0

    var cursor: JSONCursor
    /// Whether to keep values.
    ///
    /// If not, the values that the functions return are not valid.
    let keepsValues: Bool
    private let maximumDepth: Int
    private var path = JSONPointer.root
    private var depth = 0

    /// Creates a parser at the start of a text.
    ///
    /// - Throws: If the text is too long, is not UTF-8 or begins with a byte order mark.
    init(
        _ bytes: [UInt8],
        limits: JSONLimits,
        keepsValues: Bool,
        file: Int = 0
    ) throws(JSONSyntaxError) {
        cursor = JSONCursor(bytes, file: file)
        self.keepsValues = keepsValues
        maximumDepth = limits.depth
        guard bytes.count <= limits.byteCount else {
            throw error("the text has more than \(limits.byteCount) bytes; make it smaller")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw error("the file begins with a byte order mark; save it as UTF-8 without one")
        }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            while cursor.offset < error.byteOffsets.lowerBound { cursor.advance() }
            let byte = String(bytes[cursor.offset], radix: 16, uppercase: true)
            throw self.error("the byte 0x\(byte) is not UTF-8; save the file as UTF-8")
        }
    }

    /// Parses the whole text as one value.
    mutating func parseDocument() throws(JSONSyntaxError) -> JSONValue {
        try skipSpace()
        if cursor.next == nil { throw error("the file is empty; add at least an object, {}") }
        let root = try parseValue()
        try skipSpace()
        if cursor.next != nil {
            throw error("found \(cursor.found) after the end of the document; remove it")
        }
        return root
    }

    private mutating func parseValue() throws(JSONSyntaxError) -> JSONValue {
        let position = keepsValues ? cursor.position(at: cursor.offset) : nil
        let content: JSONValue.Content =
            switch cursor.next {
            case UInt8(ascii: "{"): .object(try parseObject())
            case UInt8(ascii: "["): .array(try parseArray())
            case UInt8(ascii: "\""): .string(try parseString())
            case _ where cursor.isAtNumber: .number(try parseNumber())
            default: try parseWord()
            }
        return JSONValue(content, at: position)
    }

    private mutating func parseObject() throws(JSONSyntaxError) -> JSONObject {
        let start = cursor.offset
        try enter()
        var object = JSONObject()
        try skipSpace()
        while !cursor.isAt("}") {
            let keyPosition = keepsValues ? cursor.position(at: cursor.offset) : nil
            let key = try parseKey(ofObjectAt: start)
            if keepsValues { path.append(key) }
            try skipSpace()
            let value = try parseValue()
            if keepsValues {
                let member = JSONObject.Member(key: key, position: keyPosition, value: value)
                if let first = object.add(member) { noteDuplicate(member, of: first) }
                path.removeLast()
            }
            try endElement("}", of: "object", at: start)
        }
        leave()
        return object
    }

    private mutating func noteDuplicate(_ member: JSONObject.Member, of first: JSONObject.Member) {
        guard duplicates.count < Self.duplicateLimit, let again = member.position,
            let first = first.position
        else {
            omittedDuplicateCount += 1
            return
        }
        duplicates.append(.init(pointer: path, position: again, first: first))
    }

    private mutating func parseKey(
        ofObjectAt start: Int
    ) throws(JSONSyntaxError) -> String {
        switch cursor.next {
        case UInt8(ascii: "\""): break
        case nil: throw unclosed("object", at: start, by: "}")
        default: throw error("expected a key in double quotes, found \(cursor.found)")
        }
        let key = try parseString()
        try skipSpace()
        guard cursor.isAt(":") else {
            throw error(
                "expected a colon after the key \(key.quoted), found \(cursor.found)"
            )
        }
        cursor.advance()
        return key
    }

    private mutating func parseArray() throws(JSONSyntaxError) -> [JSONValue] {
        let start = cursor.offset
        try enter()
        var elements: [JSONValue] = []
        try skipSpace()
        while !cursor.isAt("]") {
            if cursor.next == nil { throw unclosed("list", at: start, by: "]") }
            if keepsValues { path.append(String(elements.count)) }
            let element = try parseValue()
            if keepsValues {
                elements.append(element)
                path.removeLast()
            }
            try endElement("]", of: "list", at: start)
        }
        leave()
        return elements
    }

    /// Skips the comma after an element, or stops at the bracket that closes the container.
    private mutating func endElement(
        _ close: Unicode.Scalar,
        of container: String,
        at start: Int
    ) throws(JSONSyntaxError) {
        try skipSpace()
        switch cursor.next {
        case UInt8(ascii: close): return
        case nil: throw unclosed(container, at: start, by: close)
        case UInt8(ascii: ","): break
        default: throw error("expected a comma or \(close) after the value, found \(cursor.found)")
        }
        let comma = cursor.offset
        cursor.advance()
        try skipSpace()
        if cursor.isAt(close) {
            throw error(at: comma, "trailing comma before the closing \(close); remove the comma")
        }
    }

    /// Parses `true`, `false` or `null`, or throws an error that names what it found instead of a
    /// value.
    private mutating func parseWord() throws(JSONSyntaxError) -> JSONValue.Content {
        let start = cursor.offset
        switch cursor.next {
        case nil: throw error("expected a value, found the end of the file")
        case UInt8(ascii: "'"): throw error("found a single quote; put strings in double quotes")
        case UInt8(ascii: "+"), UInt8(ascii: "."):
            throw error("found \(cursor.found) before a number; begin with a digit or a minus sign")
        default: break
        }
        switch cursor.takeWord() {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "null": return .null
        case "": throw error("expected a value, found \(cursor.found)")
        case let word:
            throw error(
                at: start,
                "\(word.quoted) is not a valid JSON value; write true, false, null, or a string"
                    + " in double quotes"
            )
        }
    }

    private mutating func parseNumber() throws(JSONSyntaxError) -> String {
        let start = cursor.offset
        if cursor.isAt("-") { cursor.advance() }
        let beginsWithZero = cursor.isAt("0")
        let integer = cursor.takeDigits()
        var isValid = integer == 1 || integer > 1 && !beginsWithZero
        if cursor.isAt(".") {
            cursor.advance()
            isValid = cursor.takeDigits() > 0 && isValid
        }
        if cursor.isAt("e") || cursor.isAt("E") {
            cursor.advance()
            if cursor.isAt("+") || cursor.isAt("-") { cursor.advance() }
            isValid = cursor.takeDigits() > 0 && isValid
        }
        if isValid, !cursor.isAtWord { return keepsValues ? cursor.text(from: start) : "" }
        let rest = cursor.takeWord()
        let text = cursor.text(from: start)
        let remedy =
            rest.isEmpty
            ? "write digits without leading zeros"
            : "if it is a string, put it in double quotes"
        throw error(at: start, "\(text.shortened) is not a valid JSON number; \(remedy)")
    }
}

// MARK: - Containers, space and errors

extension JSONParser {
    private mutating func enter() throws(JSONSyntaxError) {
        depth += 1
        guard depth <= maximumDepth else {
            throw error(
                "more than \(maximumDepth) nested lists and objects;"
                    + " the configuration needs 7"
            )
        }
        cursor.advance()
    }

    private mutating func leave() {
        depth -= 1
        cursor.advance()
    }

    private mutating func skipSpace() throws(JSONSyntaxError) {
        cursor.skipSpace()
        if cursor.isAt("/") || cursor.isAt("#") {
            throw error("JSON does not allow comments; remove this one")
        }
    }

    /// Creates an error at the cursor.
    mutating func error(_ message: String) -> JSONSyntaxError {
        error(at: cursor.offset, message)
    }

    /// Creates an error at an offset.
    mutating func error(at offset: Int, _ message: String) -> JSONSyntaxError {
        JSONSyntaxError(position: cursor.position(at: offset), message: message)
    }

    private mutating func unclosed(
        _ container: String,
        at start: Int,
        by close: Unicode.Scalar
    ) -> JSONSyntaxError {
        let place = cursor.position(at: start)
        return error(
            "the file ends inside the \(container) that begins at \(place); add the \(close)"
        )
    }
}
