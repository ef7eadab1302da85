/// The sources that are still ready, because their turn ended before they were drained.
///
/// An edge is reported once. When a source stops early because its ``Budget`` is spent, append its
/// key here and serve it again when the queue returns the key.
///
/// ```swift
/// func turn(_ poll: inout Poll, _ events: inout Events, _ ready: inout ReadyQueue) throws {
///     try poll.poll(&events, timeout: ready.isEmpty ? nil : .zero)
///     for event in events {
///         if let key = SlabKey(event.token) { ready.append(key) }
///     }
///     for _ in 0..<ready.count {
///         guard let key = ready.popFirst() else { break }
///         serve(key, else: &ready)
///     }
/// }
///
/// func serve(_ key: SlabKey, else ready: inout ReadyQueue) {
///     // Read and write until drained. If the budget is spent first: ready.append(key).
/// }
/// ```
///
/// The queue holds each key at most once. Operations take amortized constant time and allocate no
/// memory. The queue does not know whether a key's value still exists: check with
/// ``Slab/contains(_:)``.
@safe public struct ReadyQueue: ~Copyable {
    // A ring of slot numbers and, for each slot, the generation of its queued key. The ring has one
    // place for each slot, so it cannot overflow. As in the slab, memory that is not used is not
    // touched.
    private var ring: UnsafeMutablePointer<UInt32>
    private var waiting: UnsafeMutablePointer<UInt32>
    private var touched = 0
    private var head = 0
    private let capacity: Int

    /// The number of queued keys.
    public private(set) var count = 0

    /// Whether no key is queued.
    public var isEmpty: Bool { count == 0 }

    /// Reserves the memory for the keys of a slab of the same capacity.
    public init(capacity: Int) {
        precondition((1...Int(Int32.max)).contains(capacity), "queue capacity out of range")
        self.capacity = capacity
        unsafe ring = .allocate(capacity: capacity)
        unsafe waiting = .allocate(capacity: capacity)
    }

    deinit {
        unsafe ring.deallocate()
        unsafe waiting.deallocate()
    }

    /// Appends a key, unless it is already queued.
    ///
    /// A queued older key of the same slot is replaced, because its value is gone.
    ///
    /// - Parameter key: A key of a slab with this queue's capacity. Traps if the slot is out of
    ///   range.
    public mutating func append(_ key: SlabKey) {
        let index = Int(key.index)
        precondition(index < capacity, "the slab of the key is larger than the queue")
        while touched <= index {
            unsafe (waiting + touched).initialize(to: Self.nobody)
            touched += 1
        }
        let isNew = unsafe waiting[index] == Self.nobody
        unsafe waiting[index] = key.generation
        guard isNew else { return }
        let end = head + count
        unsafe (ring + (end < capacity ? end : end - capacity)).initialize(to: key.index)
        count += 1
    }

    /// Removes and returns the key that was queued first, or returns `nil` if the queue is empty.
    public mutating func popFirst() -> SlabKey? {
        guard count > 0 else { return nil }
        let index = unsafe ring[head]
        head = head + 1 < capacity ? head + 1 : 0
        count -= 1
        let key = SlabKey(index: index, generation: unsafe waiting[Int(index)])
        unsafe waiting[Int(index)] = Self.nobody
        return key
    }

    /// Whether a key is queued.
    public func contains(_ key: SlabKey) -> Bool {
        let index = Int(key.index)
        return unsafe index < touched && waiting[index] == key.generation
    }

    /// Marks a slot without a queued key.
    ///
    /// Generations have 31 bits, so none is equal to it.
    private static var nobody: UInt32 { .max }
}
