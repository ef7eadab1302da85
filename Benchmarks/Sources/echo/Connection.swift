import SystemPackage
import Verypoll

/// A connection, with the bytes that its peer has not yet accepted.
struct Connection: ~Copyable {
    let stream: TCPStream

    private var unsent: [UInt8] = []
    private var sent = 0

    init(stream: consuming TCPStream) {
        self.stream = stream
    }

    /// Echoes the available bytes; returns whether the connection stays open.
    mutating func serve(_ event: Event, scratch: inout [UInt8]) throws(Errno) -> Bool {
        if !unsent.isEmpty {
            guard try flush() else { return true }
        } else if !event.isReadable {
            return true  // The first edge reports only that the socket is writable.
        }
        while let received = try stream.read(into: scratch.mutableSpan) {
            guard received > 0 else { return false }
            let taken = try send(scratch.span.extracting(..<received))
            if taken < received {
                unsent = Array(scratch[taken..<received])
                sent = 0
                return true
            }
            // A short read means that the socket is drained, unless end of file came with the data.
            if received < scratch.count && !event.isReadClosed { return true }
        }
        return true
    }

    /// Sends the remaining bytes; returns whether all of them are sent now.
    private mutating func flush() throws(Errno) -> Bool {
        sent += try send(unsent.span.extracting(sent...))
        guard sent == unsent.count else { return false }
        unsent = []
        return true
    }

    /// Returns how many bytes the socket accepted.
    private func send(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        var taken = 0
        while taken < bytes.count {
            guard let count = try stream.write(bytes.extracting(taken...)) else { break }
            taken += count
        }
        return taken
    }
}
