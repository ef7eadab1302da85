/// A command: its name and its arguments, as bytes.
struct Command {
    /// The most bytes that a command may have on the wire.
    static let largestSize = 65_536
    /// The most words that a command may have, its name included.
    static let mostWords = 1024

    let words: [[UInt8]]

    var name: String { String(decoding: words[0], as: UTF8.self).uppercased() }

    var arguments: ArraySlice<[UInt8]> { words.dropFirst() }
}

/// Bytes that are not a command; the connection cannot continue after them.
struct ProtocolError: Error {
    let message: String
}

/// Divides received bytes into commands.
struct CommandParser {
    /// The received bytes, to which more are appended as they arrive.
    var buffer: [UInt8] = []
    /// The number of bytes at the start of `buffer` that are parsed.
    private var parsedCount = 0

    /// Returns the next command, or `nil` if its end has not arrived.
    mutating func next() throws(ProtocolError) -> Command? {
        while true {
            var position = parsedCount
            guard let words = try words(at: &position) else {
                buffer.removeFirst(parsedCount)
                parsedCount = 0
                guard buffer.count < Command.largestSize else {
                    throw ProtocolError(message: "too big command")
                }
                return nil
            }
            parsedCount = position
            // An empty line or array is not answered.
            if !words.isEmpty { return Command(words: words) }
        }
    }

    /// Parses the words of a command, and moves `position` to its end.
    private func words(at position: inout Int) throws(ProtocolError) -> [[UInt8]]? {
        guard let line = line(at: &position) else { return nil }
        guard line.first == UInt8(ascii: "*") else {
            // An inline command, as typed in a terminal.
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard words.count <= Command.mostWords else {
                throw ProtocolError(message: "too many words")
            }
            return words.map { Array($0) }
        }
        guard let count = number(line.dropFirst()), count <= Command.mostWords else {
            throw ProtocolError(message: "invalid multibulk length")
        }
        var words: [[UInt8]] = []
        while words.count < count {
            guard let line = self.line(at: &position) else { return nil }
            guard line.first == UInt8(ascii: "$") else {
                throw ProtocolError(message: "expected '$'")
            }
            guard let size = number(line.dropFirst()), 0...Command.largestSize ~= size else {
                throw ProtocolError(message: "invalid bulk length")
            }
            let end = position + size
            guard end + 2 <= buffer.count else { return nil }
            words.append(Array(buffer[position..<end]))
            position = end + 2  // The bytes are followed by a line break.
        }
        return words
    }

    /// Returns the line at `position` without its line break, and moves `position` to its end.
    private func line(at position: inout Int) -> ArraySlice<UInt8>? {
        guard let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = buffer[position..<end]
        position = end + 1
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}

/// Parses a decimal number.
func number(_ text: some Sequence<UInt8>) -> Int? {
    Int(String(decoding: Array(text), as: UTF8.self))
}
