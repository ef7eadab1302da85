/// The work that one source may do before other sources get their turn.
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
/// A source that has spent its budget may still be ready, and no new edge reports it: append its
/// key to a ``ReadyQueue``.
@frozen public struct Budget: Hashable, Sendable {
    /// The remaining calls.
    public var calls: Int

    /// The remaining bytes.
    ///
    /// Negative if the last call moved more than were left.
    public var bytes: Int

    /// Creates a budget of calls, bytes or both.
    @inlinable
    public init(calls: Int = .max, bytes: Int = .max) {
        self.calls = calls
        self.bytes = bytes
    }

    /// Whether the budget is used up, so that other sources get their turn.
    @inlinable public var isSpent: Bool { calls <= 0 || bytes <= 0 }

    /// Subtracts one call and the bytes that it moved.
    @inlinable
    public mutating func spend(bytes count: Int = 0) {
        calls -= 1
        bytes -= count
    }
}
