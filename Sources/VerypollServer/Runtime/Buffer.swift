internal import Glibc

/// A block of memory to which bytes are appended at the end and from which they are drained at the
/// start.
///
/// Each buffer is a memory mapping of its own. Freeing a buffer returns its memory to the kernel,
/// and only the pages that were written to are resident.
@safe struct Buffer: ~Copyable {
    /// The number of bytes that a buffer holds.
    static let capacity = 64 * 1024

    // Small fields, because each idle session has room for two optional buffers.
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate var start: UInt32 = 0
    private var end: UInt32 = 0

    /// The number of bytes that were not drained yet.
    var count: Int { Int(end - start) }

    /// The number of bytes that can be appended.
    var room: Int { Self.capacity - Int(end) }

    /// Maps a buffer; traps if the kernel has no memory for it.
    init() {
        let mapped = unsafe mmap(
            nil,
            Self.capacity,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            preconditionFailure("out of memory for a buffer")
        }
        unsafe base = mapped
    }

    deinit {
        _ = unsafe munmap(base, Self.capacity)
    }

    /// Drops all bytes.
    mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Lends the free room at the end, at most `limit` bytes of it, to `body`, which appends to it.
    mutating func append<Value, Failure>(
        atMost limit: Int = Self.capacity,
        _ body: (inout OutputSpan<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let size = min(room, limit)
        let free = unsafe UnsafeMutableRawBufferPointer(start: base + Int(end), count: size)
        let bytes = unsafe free.bindMemory(to: UInt8.self)
        var output = unsafe OutputSpan(buffer: bytes, initializedCount: 0)
        do throws(Failure) {
            let value = try body(&output)
            end += UInt32(unsafe output.finalize(for: bytes))
            return value
        } catch {
            end += UInt32(unsafe output.finalize(for: bytes))
            throw error
        }
    }

    /// Appends bytes; traps if there is not enough room.
    mutating func append(_ bytes: Span<UInt8>) {
        precondition(bytes.count <= room, "buffer capacity overflow")
        unsafe bytes.withUnsafeBytes { source in
            let free = unsafe UnsafeMutableRawBufferPointer(start: base + Int(end), count: room)
            unsafe free.copyMemory(from: source)
        }
        end += UInt32(bytes.count)
    }

    /// Lends the bytes to `body`.
    func withBytes<Value>(_ body: (Span<UInt8>) -> Value) -> Value {
        let bytes = unsafe UnsafeRawBufferPointer(start: base + Int(start), count: count)
        return body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
    }

    /// Lends the bytes to `body`, then drops as many bytes at the start as `body` returns.
    mutating func drain<Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Int? {
        let bytes = unsafe UnsafeRawBufferPointer(start: base + Int(start), count: count)
        let taken = try body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
        start += UInt32(taken ?? 0)
        if start == end { removeAll() }
        return taken
    }

    /// Moves all bytes to the end of another buffer; traps if that buffer lacks the room.
    mutating func move(to other: inout Buffer) {
        _ = drain { bytes in
            other.append(bytes)
            return bytes.count
        }
    }
}

extension Buffer {
    /// A copy of the bytes.
    package var contents: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: base + Int(start), count: count))
    }
}
