/// A fixed number of slots for noncopyable values, each found by a key that becomes invalid when
/// its value is removed.
///
/// A server can keep the state of its connections in a slab, and use the keys as their tokens:
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
/// Lookup, insertion and removal take constant time and allocate no memory. A slot's memory is
/// first touched when the slot is first used, so unused capacity needs no physical memory.
///
/// The keys of a slot repeat after 2³¹ values.
@safe public struct Slab<Element: ~Copyable>: ~Copyable {
    // Raw memory, because `Array` and `Dictionary` cannot hold noncopyable values. The module of
    // swift-collections 1.6 that has such arrays does not compile for the thread sanitizer. Slot
    // states are stored apart from the values, so a lookup checks a key by reading eight bytes.
    @usableFromInline
    struct Slot {
        @usableFromInline var generation: UInt32 = 0
        /// The next free slot; `SlabLink.end` in the last free slot, `SlabLink.occupied` with a
        /// value.
        @usableFromInline var link: UInt32 = SlabLink.end

        @usableFromInline
        init() {}
    }

    @usableFromInline let slots: UnsafeMutablePointer<Slot>
    @usableFromInline let elements: UnsafeMutablePointer<Element>
    @usableFromInline var firstFree = SlabLink.end
    @usableFromInline var touched = 0
    @usableFromInline var stored = 0

    /// The most values that the slab holds.
    public let capacity: Int

    /// The number of values stored.
    @inlinable public var count: Int { stored }

    /// The index after the last slot that was ever used.
    ///
    /// To visit all values, call ``key(at:)`` for each index below it.
    @inlinable public var endIndex: Int { touched }

    /// Reserves the memory for all the slots.
    ///
    /// - Parameter capacity: The most values that the slab holds, from 1 to 2³¹ - 1. Traps if out
    ///   of range.
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

    /// Stores a value, in the most recently freed slot if there is one.
    ///
    /// - Parameter element: The value.
    /// - Returns: Its key, or the value itself if the slab is full.
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

    /// The result of an insertion.
    @frozen public enum Insertion: ~Copyable {
        /// The value was stored, with this key.
        case stored(SlabKey)
        /// The slab is full. The value is returned.
        case full(Element)
    }

    /// Removes and returns a value.
    ///
    /// Its key and tokens become invalid.
    ///
    /// - Parameter key: The value's key.
    /// - Returns: The value, which may be ignored, or `nil` if it was already removed.
    @discardableResult
    @inlinable
    public mutating func remove(_ key: SlabKey) -> Element? {
        guard contains(key) else { return nil }
        let index = Int(key.index)
        let element = unsafe (elements + index).move()
        // 31 bits, so that the tokens of keys are never negative.
        unsafe slots[index].generation = (slots[index].generation &+ 1) & 0x7FFF_FFFF
        unsafe slots[index].link = firstFree
        firstFree = key.index
        stored -= 1
        return element
    }

    /// Whether the key's value is still stored.
    @inlinable
    public func contains(_ key: SlabKey) -> Bool {
        let index = Int(key.index)
        guard index < touched else { return false }
        return unsafe slots[index].generation == key.generation && isOccupied(index)
    }

    /// Whether a slot below `endIndex` holds a value.
    @inlinable
    func isOccupied(_ index: Int) -> Bool {
        unsafe slots[index].link == SlabLink.occupied
    }

    /// Returns the key of the value in a slot, or `nil` if the slot is empty.
    @inlinable
    public func key(at index: Int) -> SlabKey? {
        precondition(index >= 0, "negative slot index")
        guard index < touched, isOccupied(index) else { return nil }
        return SlabKey(index: UInt32(index), generation: unsafe slots[index].generation)
    }

    /// The value of a key, accessed in place.
    ///
    /// Traps if the value was removed, so check ``contains(_:)`` first if an event may be late.
    // With addressors, callers can pass on spans of a value's fields. With `_read` and `_modify`,
    // Swift 6.3.1 rejects such calls, and hangs on some loops that insert values and catch errors;
    // see SlabLoopTests.
    @inlinable
    public subscript(key: SlabKey) -> Element {
        unsafeAddress {
            precondition(contains(key), "the value of the key was removed from the slab")
            return unsafe UnsafePointer(elements + Int(key.index))
        }
        unsafeMutableAddress {
            precondition(contains(key), "the value of the key was removed from the slab")
            return unsafe elements + Int(key.index)
        }
    }
}

/// Links that are not the index of a next free slot.
///
/// They exceed the largest slot index of any slab.
@usableFromInline
enum SlabLink {
    @inlinable static var end: UInt32 { .max }
    @inlinable static var occupied: UInt32 { .max - 1 }
}
