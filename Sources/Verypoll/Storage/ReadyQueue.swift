/// The sources that are still ready, because their turn was over before they were drained.
///
/// An edge is reported once. Whoever stops early to be fair to the others, as a ``Budget`` tells,
/// puts its key here, and goes on when the queue comes round; so nothing is lost.
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
///     // Reads and writes until drained, or until its budget is spent: then ready.append(key).
/// }
/// ```
///
/// A key stands here once however often it is put in, in constant time and without allocation. Keys
/// whose values are gone are not noticed here: ask ``Slab/contains(_:)``.
@safe public struct ReadyQueue: ~Copyable {
    // A ring of slot numbers, and for each slot the key that waits. As there is one place for each
    // slot, the ring cannot overflow; as with the slab, what was never used is never touched.
    private var ring: UnsafeMutablePointer<UInt32>
    private var waiting: UnsafeMutablePointer<UInt32>
    private var touched = 0
    private var head = 0
    private let capacity: Int

    /// The number of keys that wait.
    public private(set) var count = 0

    /// Whether no key waits.
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

    /// Puts a key at the end, unless it waits already.
    ///
    /// If an older key of the same slot waits, the new one takes its place: the old value is gone.
    ///
    /// - Parameter key: A key of a slab whose capacity is this queue's, or traps.
    public mutating func append(_ key: SlabKey) {
        let index = Int(key.index)
        precondition(index < capacity, "a key of a larger slab")
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

    /// Takes the key that waits longest; `nil` if none does.
    public mutating func popFirst() -> SlabKey? {
        guard count > 0 else { return nil }
        let index = unsafe ring[head]
        head = head + 1 < capacity ? head + 1 : 0
        count -= 1
        let key = SlabKey(index: index, generation: unsafe waiting[Int(index)])
        unsafe waiting[Int(index)] = Self.nobody
        return key
    }

    /// Whether a key waits.
    public func contains(_ key: SlabKey) -> Bool {
        let index = Int(key.index)
        return unsafe index < touched && waiting[index] == key.generation
    }

    /// No generation has so many bits.
    private static var nobody: UInt32 { .max }
}
