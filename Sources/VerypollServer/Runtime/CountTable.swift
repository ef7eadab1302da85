internal import Glibc
internal import VerypollConfiguration

/// Counts keys, of which there may be as many as it has slots, less one.
///
/// It is a hash table of open addressing with linear probing. A key whose count is back to zero is
/// taken out, and those behind it move up, so that there is nothing to clean up ever. Memory is
/// first touched when a slot is first used.
@safe struct CountTable<Key: Hashable & BitwiseCopyable>: ~Copyable {
    private struct Slot: BitwiseCopyable {
        var key: Key
        /// 0 if the slot is free, and the key then means nothing.
        var count: UInt32
    }

    private let slots: UnsafeMutablePointer<Slot>
    private let slotCount: Int

    /// The number of keys whose count is not zero.
    private(set) var keyCount = 0

    /// Reserves the memory; twice as many slots as there will be keys make it quick.
    init(slotCount: Int) {
        precondition(slotCount > 1, "no slot for a key")
        self.slotCount = slotCount
        // Zeroed memory from the kernel is not touched, and zero is what a free slot has.
        guard let memory = unsafe calloc(slotCount, MemoryLayout<Slot>.stride) else {
            preconditionFailure("out of memory for a table")
        }
        unsafe slots = memory.assumingMemoryBound(to: Slot.self)
    }

    deinit {
        unsafe free(slots)
    }

    /// How often a key was counted in and not out.
    func count(of key: Key) -> Int {
        Int(unsafe slots[find(key)].count)
    }

    /// Counts a key in once more.
    mutating func add(_ key: Key) {
        let index = find(key)
        if unsafe slots[index].count == 0 {
            // A free slot has to remain, or else a search would have no end.
            precondition(keyCount < slotCount - 1, "count table capacity overflow")
            keyCount += 1
            unsafe slots[index].key = key
        }
        unsafe slots[index].count += 1
    }

    /// Counts a key out.
    mutating func remove(_ key: Key) {
        let index = find(key)
        precondition(unsafe slots[index].count > 0, "a key is counted out that was not counted in")
        unsafe slots[index].count -= 1
        if unsafe slots[index].count == 0 {
            keyCount -= 1
            fill(index)
        }
    }

    /// The slot of a key, or the free one that it would have.
    private func find(_ key: Key) -> Int {
        var index = home(of: key)
        while unsafe slots[index].count != 0 && slots[index].key != key { index = next(index) }
        return index
    }

    /// Moves the keys behind a free slot up, as far as they are away from where they belong.
    private mutating func fill(_ free: Int) {
        var hole = free
        var index = next(hole)
        while unsafe slots[index].count != 0 {
            let home = unsafe home(of: slots[index].key)
            if distance(home, index) >= distance(hole, index) {
                unsafe slots[hole] = slots[index]
                unsafe slots[index].count = 0
                hole = index
            }
            index = next(index)
        }
    }

    /// Where the search for a key begins; the hash is seeded anew for each process.
    private func home(of key: Key) -> Int {
        let hash = UInt(bitPattern: key.hashValue)
        return Int(hash.multipliedFullWidth(by: UInt(slotCount)).high)
    }

    private func next(_ index: Int) -> Int {
        index + 1 == slotCount ? 0 : index + 1
    }

    /// How many steps it is from one slot to another.
    private func distance(_ from: Int, _ to: Int) -> Int {
        from <= to ? to - from : to - from + slotCount
    }
}
