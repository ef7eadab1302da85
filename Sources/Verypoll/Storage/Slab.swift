/// A fixed number of slots for noncopyable values, each found by a key that is never valid again
/// once its value is gone.
///
/// It holds what a server keeps for each connection, and its keys are the connections' tokens:
///
/// ```swift
/// var streams = Slab<UnixStream>(capacity: 1024)
/// let poll = try Poll()
/// let pair = try UnixStream.pair()
/// if case .stored(let key) = streams.insert(pair.first) {
///     try poll.registry.register(streams[key], token: key.token, interest: .readable)
/// }
/// ```
///
/// Finding, storing and taking out take constant time and no allocation. A slot's memory is first
/// touched when the slot is first used, so capacity that is only reserved costs nothing.
///
/// After 2³¹ values in one slot its keys repeat.
@safe public struct Slab<Element: ~Copyable>: ~Copyable {
    // Raw memory, because `Array` and `Dictionary` take no noncopyable values, and the module of
    // swift-collections 1.6 whose arrays do cannot be compiled for the thread sanitizer.
    // The state of the slots is stored apart from the values, so a look-up reads eight bytes and
    // never the value itself to learn whether it is there.
    @usableFromInline
    struct Slot {
        @usableFromInline var generation: UInt32 = 0
        /// The next free slot, `SlabLink.end` in the last one, `SlabLink.occupied` with a value.
        @usableFromInline var link: UInt32 = SlabLink.end

        @usableFromInline
        init() {}
    }

    // Not a `let`: through one, Swift 6.3.1 crashes on the subscript with -sanitize=thread.
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var elements: UnsafeMutablePointer<Element>
    @usableFromInline var firstFree = SlabLink.end
    @usableFromInline var touched = 0
    @usableFromInline var stored = 0

    /// The most values that it holds.
    public let capacity: Int

    /// The number of values stored.
    @inlinable public var count: Int { stored }

    /// Slots at or past this index were never used.
    ///
    /// To visit all values, ask for ``key(at:)`` of each index before it.
    @inlinable public var endIndex: Int { touched }

    /// Reserves the memory for all the slots.
    ///
    /// - Parameter capacity: How many values there will be at most, from 1 to 2³¹ - 1; anything
    ///   else is a programmer's error and traps.
    @inlinable
    public init(capacity: Int) {
        precondition((1...Int(Int32.max)).contains(capacity), "slab capacity out of range")
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
        unsafe elements = .allocate(capacity: capacity)
    }

    @inlinable
    deinit {
        for index in 0..<touched where isOccupied(index) {
            unsafe (elements + index).deinitialize(count: 1)
        }
        unsafe elements.deallocate()
        unsafe slots.deallocate()
    }

    /// Stores a value, in the slot that was freed last if there is one.
    ///
    /// - Parameter element: The value.
    /// - Returns: Its key, or the value itself if all slots are taken.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Insertion {
        var index = Int(firstFree)
        if firstFree != SlabLink.end {
            firstFree = unsafe slots[index].link
        } else {
            guard touched < capacity else { return .full(element) }
            index = touched
            touched += 1
            unsafe (slots + index).initialize(to: Slot())
        }
        unsafe (elements + index).initialize(to: element)
        unsafe slots[index].link = SlabLink.occupied
        stored += 1
        return .stored(SlabKey(index: UInt32(index), generation: unsafe slots[index].generation))
    }

    /// What became of a value that was to be stored.
    @frozen public enum Insertion: ~Copyable {
        /// It is here, and this is its key.
        case stored(SlabKey)
        /// There was no room, and this is the value.
        case full(Element)
    }

    /// Takes a value out; its key and tokens are void from now on.
    ///
    /// - Parameter key: The value's key.
    /// - Returns: The value, or `nil` if it is gone already.
    @inlinable
    public mutating func remove(_ key: SlabKey) -> Element? {
        guard contains(key) else { return nil }
        let index = Int(key.index)
        let element = unsafe (elements + index).move()
        // 31 bits, so that tokens of keys stay positive.
        unsafe slots[index].generation = (slots[index].generation &+ 1) & 0x7FFF_FFFF
        unsafe slots[index].link = firstFree
        firstFree = key.index
        stored -= 1
        return element
    }

    /// Whether the key's value is still here.
    @inlinable
    public func contains(_ key: SlabKey) -> Bool {
        let index = Int(key.index)
        guard index < touched else { return false }
        return unsafe slots[index].generation == key.generation && isOccupied(index)
    }

    /// Whether there is a value in a slot that was used before.
    @inlinable
    func isOccupied(_ index: Int) -> Bool {
        unsafe slots[index].link == SlabLink.occupied
    }

    /// The key of the value in a slot, or `nil` if it has none.
    @inlinable
    public func key(at index: Int) -> SlabKey? {
        precondition(index >= 0, "negative slot")
        guard index < touched, isOccupied(index) else { return nil }
        return SlabKey(index: UInt32(index), generation: unsafe slots[index].generation)
    }

    /// The value of a key, to be worked on in place.
    ///
    /// A key whose value is gone is a programmer's error and traps, so ask ``contains(_:)`` before
    /// where an event may be late.
    @inlinable
    public subscript(key: SlabKey) -> Element {
        _read {
            precondition(contains(key), "the value of the slab's key is gone")
            yield unsafe elements[Int(key.index)]
        }
        _modify {
            precondition(contains(key), "the value of the slab's key is gone")
            yield unsafe &elements[Int(key.index)]
        }
    }
}

/// Links that are no index of a next free slot; no slab has so many slots.
@usableFromInline
enum SlabLink {
    @inlinable static var end: UInt32 { .max }
    @inlinable static var occupied: UInt32 { .max - 1 }
}
