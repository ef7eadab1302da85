/// A fixed number of slots for noncopyable values, each found by a key that is never valid again
/// once its value is gone.
///
/// The slots are raw memory because `Array` and `Dictionary` take no noncopyable values, and the
/// module of swift-collections 1.6 whose arrays do cannot be compiled for the thread sanitizer. A
/// slot is first touched when it is first used, so memory that was only reserved costs nothing.
@safe struct Slab<Element: ~Copyable>: ~Copyable {
    private struct Slot: ~Copyable {
        var generation: UInt32 = 0
        var nextFree: UInt32 = .max
        var element: Element?
    }

    // Not a `let`: through one, Swift 6.3.1 crashes on the subscript with -sanitize=thread.
    private var slots: UnsafeMutablePointer<Slot>
    private var firstFree: UInt32 = .max
    private var touched = 0

    /// The most values that it holds.
    let capacity: Int

    /// The number of values stored.
    private(set) var count = 0

    /// Reserves the memory for all the slots.
    init(capacity: Int) {
        precondition((1...Int(Int32.max)).contains(capacity), "slab capacity out of range")
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        unsafe slots.deinitialize(count: touched)
        unsafe slots.deallocate()
    }

    /// Stores a value, the latest freed slot first, or hands it back if all are taken.
    mutating func insert(_ element: consuming Element) -> Insertion {
        var index = Int(firstFree)
        if firstFree != .max {
            firstFree = unsafe slots[index].nextFree
        } else {
            guard touched < capacity else { return .full(element) }
            index = touched
            touched += 1
            unsafe (slots + index).initialize(to: Slot())
        }
        unsafe slots[index].element = consume element
        count += 1
        return .stored(SlabKey(index: UInt32(index), generation: unsafe slots[index].generation))
    }

    /// What became of a value that was to be stored.
    enum Insertion: ~Copyable {
        case stored(SlabKey)
        case full(Element)
    }

    /// Takes a value out, or returns `nil` if it is gone already.
    mutating func remove(_ key: SlabKey) -> Element? {
        guard contains(key) else { return nil }
        let index = Int(key.index)
        let element = unsafe slots[index].element.take()
        // 31 bits, so that tokens of keys stay positive.
        unsafe slots[index].generation = (slots[index].generation &+ 1) & 0x7FFF_FFFF
        unsafe slots[index].nextFree = firstFree
        firstFree = key.index
        count -= 1
        return element
    }

    /// Whether the key's value is still here.
    func contains(_ key: SlabKey) -> Bool {
        let index = Int(key.index)
        guard index < touched else { return false }
        return unsafe slots[index].generation == key.generation && slots[index].element != nil
    }

    /// The key of the value in a slot, or `nil` if it has none.
    func key(at index: Int) -> SlabKey? {
        guard index < touched, unsafe slots[index].element != nil else { return nil }
        return SlabKey(index: UInt32(index), generation: unsafe slots[index].generation)
    }

    /// Slots at or past this index were never used.
    var endIndex: Int { touched }

    /// The value of a key, to be worked on in place; a key whose value is gone traps.
    subscript(key: SlabKey) -> Element {
        _read {
            precondition(contains(key), "the value of the slab's key is gone")
            // swift-format-ignore: NeverForceUnwrap
            yield unsafe slots[Int(key.index)].element!
        }
        _modify {
            precondition(contains(key), "the value of the slab's key is gone")
            // swift-format-ignore: NeverForceUnwrap
            yield unsafe &slots[Int(key.index)].element!
        }
    }
}
