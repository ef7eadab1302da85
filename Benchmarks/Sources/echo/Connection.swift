import SystemPackage
import Verypoll

/// A connection, and what its peer was slow to take.
struct Connection: ~Copyable {
    let stream: TCPStream

    private var unsent: [UInt8] = []
    private var sent = 0

    init(stream: consuming TCPStream) {
        self.stream = stream
    }

    /// Echoes what is there; returns whether the connection goes on.
    mutating func serve(_ event: Event, scratch: inout [UInt8]) throws(Errno) -> Bool {
        if !unsent.isEmpty {
            guard try flush() else { return true }
        } else if !event.isReadable {
            return true  // The first edge tells that it is writable.
        }
        while let received = try stream.read(into: scratch.mutableSpan) {
            guard received > 0 else { return false }
            let taken = try send(scratch.span.extracting(..<received))
            if taken < received {
                unsent = Array(scratch[taken..<received])
                sent = 0
                return true
            }
            // A short read stands for drained, unless an end of file came with the data.
            if received < scratch.count && !event.isReadClosed { return true }
        }
        return true
    }

    /// Sends what was left; returns whether all of it is sent now.
    private mutating func flush() throws(Errno) -> Bool {
        sent += try send(unsent.span.extracting(sent...))
        guard sent == unsent.count else { return false }
        unsent = []
        return true
    }

    /// Returns how many bytes the socket took.
    private func send(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        var taken = 0
        while taken < bytes.count {
            guard let count = try stream.write(bytes.extracting(taken...)) else { break }
            taken += count
        }
        return taken
    }
}
