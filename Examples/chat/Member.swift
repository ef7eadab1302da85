#if OSExt && Net
import SystemPackage
import Verypoll

/// A member of the chat: a connection, the incomplete received line, and the unsent bytes.
struct Member: ~Copyable {
    /// The longest line, in bytes.
    static let longestLine = 4096
    /// The most unsent bytes that are kept for a member that does not read.
    static let longestDelay = 65_536

    let stream: UnixStream
    private var line: [UInt8] = []
    private var unsent: [UInt8] = []

    init(_ stream: consuming UnixStream) {
        self.stream = stream
    }

    /// Reads everything available and splits it into lines.
    ///
    /// At end of file, the rest is a line too.
    ///
    /// - Parameters:
    ///   - scratch: A buffer for reading. Its contents are overwritten.
    ///   - lines: Whole lines are appended here, without line feeds.
    /// - Returns: Whether more may follow. `false` means that the member left.
    /// - Throws: See recv(2); `Errno.messageTooLong` if a line is too long.
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

    /// Sends a line, after the lines that are still unsent.
    ///
    /// - Throws: See send(2); `Errno.noBufferSpace` if the member does not read and too many bytes
    ///   are unsent.
    mutating func send(_ text: [UInt8]) throws {
        guard unsent.count + text.count < Self.longestDelay else { throw Errno.noBufferSpace }
        unsent += text
        unsent.append(UInt8(ascii: "\n"))
        try flush()
    }

    /// Sends as many unsent bytes as the socket accepts.
    ///
    /// Call it again at the next writable event.
    mutating func flush() throws {
        while !unsent.isEmpty, let count = try stream.write(unsent.span) {
            unsent.removeFirst(count)
        }
    }
}
#endif
