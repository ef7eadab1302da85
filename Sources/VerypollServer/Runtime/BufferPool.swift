/// The buffers in which a worker keeps bytes that one end of a session has not accepted yet.
///
/// The pool maps a buffer when one is needed. It keeps up to ``kept`` unused buffers for later
/// sessions and unmaps the others.
struct BufferPool: ~Copyable {
    /// The most buffers that a worker may have in use; together they have 64 MiB.
    static let limit = 1024

    /// The most unused buffers that the pool keeps; together they have 512 KiB.
    static let kept = 8

    private var unused: [8 of Buffer?] = .init { _ in nil }
    private var unusedCount = 0

    /// The number of buffers in use.
    private(set) var inUse = 0

    /// Whether ``take()`` may be called: fewer than ``limit`` buffers are in use.
    var hasRoom: Bool { inUse < Self.limit }

    /// Returns an empty buffer; traps if ``hasRoom`` is false.
    mutating func take() -> Buffer {
        precondition(hasRoom, "buffer pool capacity overflow")
        inUse += 1
        guard unusedCount > 0 else { return Buffer() }
        unusedCount -= 1
        return unused[unusedCount].take() ?? Buffer()
    }

    /// Takes a buffer back and drops the bytes in it.
    mutating func give(_ buffer: consuming Buffer) {
        inUse -= 1
        guard unusedCount < Self.kept else { return }
        buffer.removeAll()
        unused[unusedCount] = consume buffer
        unusedCount += 1
    }
}
