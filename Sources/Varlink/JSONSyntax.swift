/// What FoundationEssentials' decoder lets pass though it is no JSON.
enum JSONSyntax {
    /// Whether a comma stands right before the end of an object or of an array.
    static func hasTrailingComma(_ text: [UInt8]) -> Bool {
        var isInString = false
        var isEscaped = false
        var isAfterComma = false
        for byte in text {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if isAfterComma { return true }
            case UInt8(ascii: "\""):
                isInString = true
            default:
                break
            }
            isAfterComma = byte == UInt8(ascii: ",")
        }
        return false
    }
}
