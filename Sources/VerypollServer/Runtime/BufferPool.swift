/// The buffers in which a worker parks what the other side did not take yet.
///
/// There are at most `limit` of them, mapped when needed. Those given back are kept for the next
/// session up to ``kept``, and the rest returned to the kernel.
struct BufferPool: ~Copyable {
    /// The buffers that a worker may have in use, 64 MiB of them; documented in verypolld's README.
    static let limit = 1024

    /// The unused buffers that are kept, 512 KiB of them.
    static let kept = 8

    private var unused: [8 of Buffer?] = .init { _ in nil }
    private var unusedCount = 0

    /// The number of buffers in use.
    private(set) var inUse = 0

    /// Whether a buffer can be had.
    var hasRoom: Bool { inUse < Self.limit }

    /// Gives an empty buffer; ask ``hasRoom`` before.
    mutating func take() -> Buffer {
        precondition(hasRoom, "buffer pool capacity overflow")
        inUse += 1
        guard unusedCount > 0 else { return Buffer() }
        unusedCount -= 1
        return unused[unusedCount].take() ?? Buffer()
    }

    /// Takes a buffer back.
    mutating func give(_ buffer: consuming Buffer) {
        inUse -= 1
        guard unusedCount < Self.kept else { return }
        buffer.removeAll()
        unused[unusedCount] = consume buffer
        unusedCount += 1
    }
}
