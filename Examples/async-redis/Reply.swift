/// A reply to a command, in version 2 of the protocol.
enum Reply {
    case status(String)
    case error(String)
    case integer(Int)
    /// Bytes, or `nil` for a missing value.
    case bulk([UInt8]?)
    case emptyArray

    /// Appends the bytes of the reply to `output`.
    func write(to output: inout [UInt8]) {
        switch self {
        case .status(let text): output += "+\(text)\r\n".utf8
        case .error(let text): output += "-ERR \(text)\r\n".utf8
        case .integer(let number): output += ":\(number)\r\n".utf8
        case .bulk(nil): output += "$-1\r\n".utf8
        case .bulk(let bytes?):
            output += "$\(bytes.count)\r\n".utf8
            output += bytes
            output += "\r\n".utf8
        case .emptyArray: output += "*0\r\n".utf8
        }
    }
}
