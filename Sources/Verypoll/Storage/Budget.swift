/// How much one source may do before it is the others' turn.
///
/// ```swift
/// func serve(_ stream: borrowing UnixStream, buffer: inout [UInt8]) throws -> Bool {
///     var budget = Budget(calls: 16, bytes: 1 << 18)
///     while !budget.isSpent {
///         var received: Int?
///         buffer.removeAll(keepingCapacity: true)
///         try buffer.append(addingCapacity: 16384) { received = try stream.read(into: &$0) }
///         guard let received, received > 0 else { return true }
///         budget.spend(bytes: received)
///     }
///     return false
/// }
/// ```
///
/// A source that has spent its budget may still be ready, and no edge will tell: put its key into a
/// ``ReadyQueue``.
@frozen public struct Budget: Hashable, Sendable {
    /// The calls that are left.
    public var calls: Int

    /// The bytes that are left; the last call may take more than there were.
    public var bytes: Int

    /// Makes a budget of calls, bytes or both.
    @inlinable
    public init(calls: Int = .max, bytes: Int = .max) {
        self.calls = calls
        self.bytes = bytes
    }

    /// Whether it is the others' turn.
    @inlinable public var isSpent: Bool { calls <= 0 || bytes <= 0 }

    /// Counts one call and the bytes that it moved.
    @inlinable
    public mutating func spend(bytes count: Int = 0) {
        calls -= 1
        bytes -= count
    }
}
