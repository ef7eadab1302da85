#if OSExt && Net
import SystemPackage
import Verypoll

/// One who takes part: a connection, the line that is being received, and what is to be sent.
struct Member: ~Copyable {
    /// The longest line, and the most that is kept for one who does not read.
    static let longestLine = 4096
    static let longestDelay = 65_536

    let stream: UnixStream
    private var line: [UInt8] = []
    private var unsent: [UInt8] = []

    init(_ stream: consuming UnixStream) {
        self.stream = stream
    }

    /// Takes the lines out of what has come, and the rest at the end of file.
    ///
    /// - Parameters:
    ///   - scratch: A buffer for the call; what it holds means nothing.
    ///   - lines: Where whole lines go, without their ends.
    /// - Returns: Whether more may follow. If not, the member has left.
    /// - Throws: See recv(2); `Errno.messageTooLong` for a line that is.
    mutating func receive(_ scratch: inout [UInt8], into lines: inout [[UInt8]]) throws -> Bool {
        while true {
            guard let count = try stream.read(into: scratch.mutableSpan) else { return true }
            for byte in scratch[..<count] {
                if byte == UInt8(ascii: "\n") {
                    lines.append(line)
                    line.removeAll(keepingCapacity: true)
                } else {
                    guard line.count < Self.longestLine else { throw Errno.messageTooLong }
                    line.append(byte)
                }
            }
            if count == 0 {
                if !line.isEmpty { lines.append(line) }
                return false
            }
        }
    }

    /// Sends a line after those before it.
    ///
    /// - Throws: See send(2); `Errno.noBufferSpace` if the member does not read what it is sent.
    mutating func send(_ text: [UInt8]) throws {
        guard unsent.count + text.count < Self.longestDelay else { throw Errno.noBufferSpace }
        unsent += text
        unsent.append(UInt8(ascii: "\n"))
        try flush()
    }

    /// Sends what is left, as far as it is taken; a writable event tells when to go on.
    mutating func flush() throws {
        while !unsent.isEmpty, let count = try stream.write(unsent.span) {
            unsent.removeFirst(count)
        }
    }
}
#endif
