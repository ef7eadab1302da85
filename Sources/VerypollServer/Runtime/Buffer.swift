internal import Glibc

/// A block of memory that fills at its end and drains at its start.
///
/// It is mapped by itself, so that giving it back gives it back to the kernel, and so that only the
/// pages that were written to count as resident.
@safe struct Buffer: ~Copyable {
    /// How many bytes a buffer holds.
    static let capacity = 64 * 1024

    // Small fields, as an idle session pays for them as well.
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate var start: UInt32 = 0
    private var end: UInt32 = 0

    /// The number of bytes to be drained.
    var count: Int { Int(end - start) }

    /// The number of bytes that can be appended.
    var room: Int { Self.capacity - Int(end) }

    /// Maps a buffer; a machine without 64 KiB of memory left traps.
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

    /// Forgets its bytes.
    mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Lends the room at the end, or some of it, to `body`, which appends to it.
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

    /// Appends bytes for which there must be room.
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

    /// Lends the bytes to `body` and drops as many at the start as it returns.
    mutating func drain<Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Int? {
        let bytes = unsafe UnsafeRawBufferPointer(start: base + Int(start), count: count)
        let taken = try body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
        start += UInt32(taken ?? 0)
        if start == end { removeAll() }
        return taken
    }

    /// Moves its bytes to the end of another buffer, which must have room for them.
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
