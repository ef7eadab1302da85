extension JSONParser {
    /// Parses a string with its quotes.
    ///
    /// Returns an empty string if values are not kept.
    mutating func parseString() throws(JSONSyntaxError) -> String {
        let start = cursor.offset
        cursor.advance()
        var text: [UInt8] = []
        while true {
            let plain = cursor.takePlainText()
            if keepsValues { text += plain }
            switch cursor.next {
            case UInt8(ascii: "\""):
                cursor.advance()
                return keepsValues ? String(decoding: text, as: UTF8.self) : ""
            case UInt8(ascii: "\\"):
                let scalar = try parseEscape()
                if keepsValues { text += String(scalar).utf8 }
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                throw error(
                    at: start,
                    "the string does not end on its line; add the closing double quote"
                )
            case let byte?:
                let hexadecimal = String(byte, radix: 16, uppercase: true)
                let code = String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
                throw error("found a control character in a string; write \\u\(code) instead")
            case nil:
                throw error(at: start, "the string does not end; add the closing double quote")
            }
        }
    }

    private mutating func parseEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = cursor.offset
        cursor.advance()
        let escaped = cursor.next
        if escaped != nil { cursor.advance() }
        switch escaped {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try parseUnicodeEscape(at: start)
        default:
            throw error(
                at: start,
                "not a valid JSON escape; write \\\\ for a backslash"
            )
        }
    }

    private mutating func parseUnicodeEscape(
        at start: Int
    ) throws(JSONSyntaxError) -> Unicode.Scalar {
        let unit = cursor.takeCodeUnit()
        if unit != nil, !keepsValues { return "\u{FFFD}" }
        if let unit, let scalar = Unicode.Scalar(unit) { return scalar }
        if let unit, unit >> 10 == 0x36, cursor.isAt("\\") {
            cursor.advance()
            if cursor.isAt("u") {
                cursor.advance()
                if let low = cursor.takeCodeUnit(), low >> 10 == 0x37 {
                    let code = 0x10000 + UInt32(unit & 0x3FF) << 10 + UInt32(low & 0x3FF)
                    if let scalar = Unicode.Scalar(code) { return scalar }
                }
            }
        }
        throw error(
            at: start,
            "not a valid Unicode escape; write \\u and four hexadecimal digits, and"
                + " surrogates in pairs"
        )
    }
}
