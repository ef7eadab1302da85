internal import SystemPackage
internal import Verypoll

/// A kernel pipe through which bytes pass from socket to socket without being copied; see
/// splice(2).
struct SplicePipe: ~Copyable {
    /// The requested capacity of a pipe in bytes.
    static let capacity = 256 * 1024

    private let sender: UnixPipe.Sender
    private let receiver: UnixPipe.Receiver

    /// The number of bytes in the pipe.
    private(set) var count = 0

    /// Makes a pipe.
    init() throws(Errno) {
        let pipe = try UnixPipe()
        // The kernel limits the pipe memory of a user; with a smaller pipe, the same bytes take
        // more calls.
        _ = try? pipe.sender.setCapacity(Self.capacity)
        sender = pipe.sender
        receiver = pipe.receiver
    }

    /// Adopts a pipe that holds `count` bytes.
    init(
        adopting sender: consuming OwnedFD,
        _ receiver: consuming OwnedFD,
        count: Int
    ) throws(Errno) {
        let sending = try UnixPipe.Sender(adopting: sender)
        let receiving = try UnixPipe.Receiver(adopting: receiver)
        self.sender = sending
        self.receiver = receiving
        self.count = count
    }

    /// The write end and the read end.
    var descriptors: [FileDescriptor] { [sender.fileDescriptor, receiver.fileDescriptor] }

    /// Moves bytes from a socket into the pipe.
    ///
    /// - Returns: The result of `UnixPipe.Sender.splice(from:atMost:)`.
    mutating func fill(from socket: borrowing SessionSocket) throws(Errno) -> Int? {
        let moved = try socket.splice(into: sender, atMost: Self.capacity)
        count += moved ?? 0
        return moved
    }

    /// Moves bytes from the pipe to a socket.
    ///
    /// - Returns: The number of bytes moved; bytes are left only if the socket has no more room.
    /// - Throws: `Errno.ioError` if the pipe ends before ``count`` bytes have come out.
    mutating func drain(to socket: borrowing SessionSocket) throws(Errno) -> Int {
        let before = count
        while count > 0, let moved = try socket.splice(from: receiver, atMost: count) {
            // A pipe from the previous process may hold fewer bytes than recorded; this check
            // prevents an endless loop.
            guard moved > 0 else { throw .ioError }
            count -= moved
        }
        return before - count
    }
}

/// The pipes of a worker: at most ``limit`` in use, and a few unused ones for later use.
struct SplicePipePool: ~Copyable {
    /// The most unused pipes that the pool keeps.
    private static let kept = 16

    private var unused: [16 of SplicePipe?] = .init { _ in nil }
    private var unusedCount = 0
    private var inUse = 0

    /// The most pipes in use at a time.
    var limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Returns an empty pipe; `nil` if all are in use, or if the kernel refuses to make one.
    mutating func take() -> SplicePipe? {
        guard inUse < limit else { return nil }
        if unusedCount > 0 {
            unusedCount -= 1
            inUse += 1
            return unused[unusedCount].take()
        }
        // Without a pipe, the channel copies.
        guard let splicePipe = try? SplicePipe() else { return nil }
        inUse += 1
        return splicePipe
    }

    /// Counts a restored pipe as in use, even beyond the limit.
    mutating func adopt() { inUse += 1 }

    /// Takes a pipe back; a pipe that still holds bytes is closed.
    mutating func give(_ splicePipe: consuming SplicePipe) {
        inUse -= 1
        guard splicePipe.count == 0, unusedCount < Self.kept else { return }
        unused[unusedCount] = consume splicePipe
        unusedCount += 1
    }
}
