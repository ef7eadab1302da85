internal import SystemPackage
internal import Verypoll

/// A pipe through which bytes pass from socket to socket without being copied; see splice(2).
struct SplicePipe: ~Copyable {
    /// How many bytes a pipe is asked to hold.
    static let capacity = 256 * 1024

    private let sender: Pipe.Sender
    private let receiver: Pipe.Receiver

    /// The bytes that are in it.
    private(set) var count = 0

    /// Makes a pipe.
    init() throws(Errno) {
        let pipe = try Pipe()
        // What a user may have in pipes is limited; a smaller one does the same with more calls.
        _ = try? pipe.sender.setCapacity(Self.capacity)
        sender = pipe.sender
        receiver = pipe.receiver
    }

    /// Takes over a pipe that has bytes in it.
    init(
        adopting sender: consuming OwnedFD,
        _ receiver: consuming OwnedFD,
        count: Int
    ) throws(Errno) {
        let sending = try Pipe.Sender(adopting: sender)
        let receiving = try Pipe.Receiver(adopting: receiver)
        self.sender = sending
        self.receiver = receiving
        self.count = count
    }

    /// The end that is written to, and the one that is read from.
    var descriptors: [FileDescriptor] { [sender.fileDescriptor, receiver.fileDescriptor] }

    /// Takes in what has come to a socket.
    ///
    /// - Returns: As `Pipe.Sender.splice(from:atMost:)`.
    mutating func fill(from socket: borrowing SessionSocket) throws(Errno) -> Int? {
        let moved = try socket.splice(into: sender, atMost: Self.capacity)
        count += moved ?? 0
        return moved
    }

    /// Gives what is in it to a socket.
    ///
    /// - Returns: How many bytes were taken; some are left only if there is no room for more.
    /// - Throws: `Errno.ioError` if the pipe is at its end before ``count`` bytes have come out.
    mutating func drain(to socket: borrowing SessionSocket) throws(Errno) -> Int {
        let before = count
        while count > 0, let moved = try socket.splice(from: receiver, atMost: count) {
            // Only a pipe that another process left can lack bytes; without this, the loop spins.
            guard moved > 0 else { throw .ioError }
            count -= moved
        }
        return before - count
    }
}

/// The pipes of a worker, at most ``limit`` of which are in use, and some kept for the next use.
struct SplicePipePool: ~Copyable {
    /// The unused pipes that are kept.
    private static let kept = 16

    private var unused: [16 of SplicePipe?] = .init { _ in nil }
    private var unusedCount = 0
    private var inUse = 0

    /// The pipes that may be in use at a time.
    var limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Gives an empty pipe; `nil` if all are in use, or the kernel gives no more.
    mutating func take() -> SplicePipe? {
        guard inUse < limit else { return nil }
        if unusedCount > 0 {
            unusedCount -= 1
            inUse += 1
            return unused[unusedCount].take()
        }
        // Without one the bytes are copied, so nothing is lost.
        guard let splicePipe = try? SplicePipe() else { return nil }
        inUse += 1
        return splicePipe
    }

    /// Counts a pipe that was made elsewhere, beyond the limit if need be.
    mutating func adopt() { inUse += 1 }

    /// Takes a pipe back; one that still holds bytes is closed.
    mutating func give(_ splicePipe: consuming SplicePipe) {
        inUse -= 1
        guard splicePipe.count == 0, unusedCount < Self.kept else { return }
        unused[unusedCount] = consume splicePipe
        unusedCount += 1
    }
}
