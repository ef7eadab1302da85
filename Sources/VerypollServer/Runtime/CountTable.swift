internal import Glibc
internal import VerypollConfiguration

/// A count for each key, for at most one key fewer than the table has slots.
///
/// The table is a hash table with open addressing and linear probing. When a count falls to zero,
/// the key is removed and the keys behind it move up, so the table has no tombstones and never
/// needs a cleanup. The kernel provides the memory of a slot when the slot is first used.
@safe struct CountTable<Key: Hashable & BitwiseCopyable>: ~Copyable {
    private struct Slot: BitwiseCopyable {
        var key: Key
        /// 0 if the slot is free; the key then has no meaning.
        var count: UInt32
    }

    private let slots: UnsafeMutablePointer<Slot>
    private let slotCount: Int

    /// The number of keys whose count is not zero.
    private(set) var keyCount = 0

    /// Reserves the memory; for fast searches, pass twice as many slots as there will be keys.
    init(slotCount: Int) {
        precondition(slotCount > 1, "a count table needs two slots or more")
        self.slotCount = slotCount
        // calloc(3) returns zeroed pages that are not resident yet, and a free slot is all zeros.
        guard let memory = unsafe calloc(slotCount, MemoryLayout<Slot>.stride) else {
            preconditionFailure("out of memory for a table")
        }
        unsafe slots = memory.assumingMemoryBound(to: Slot.self)
    }

    deinit {
        unsafe free(slots)
    }

    /// The number of times that a key was added and not removed.
    func count(of key: Key) -> Int {
        Int(unsafe slots[find(key)].count)
    }

    /// Adds one to the count of a key.
    mutating func add(_ key: Key) {
        let index = find(key)
        if unsafe slots[index].count == 0 {
            // One slot stays free; otherwise a search for an absent key would not end.
            precondition(keyCount < slotCount - 1, "count table capacity overflow")
            keyCount += 1
            unsafe slots[index].key = key
        }
        unsafe slots[index].count += 1
    }

    /// Subtracts one from the count of a key; traps if the count is zero.
    mutating func remove(_ key: Key) {
        let index = find(key)
        precondition(unsafe slots[index].count > 0, "count table underflow")
        unsafe slots[index].count -= 1
        if unsafe slots[index].count == 0 {
            keyCount -= 1
            fill(index)
        }
    }

    /// Returns the slot of a key, or the free slot in which a new key would be stored.
    private func find(_ key: Key) -> Int {
        var index = home(of: key)
        while unsafe slots[index].count != 0 && slots[index].key != key { index = next(index) }
        return index
    }

    /// Closes the gap at a free slot: moves up each key behind it whose search would pass the gap.
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

    /// Returns the slot at which the search for a key begins; the hash is seeded per process.
    private func home(of key: Key) -> Int {
        let hash = UInt(bitPattern: key.hashValue)
        return Int(hash.multipliedFullWidth(by: UInt(slotCount)).high)
    }

    private func next(_ index: Int) -> Int {
        index + 1 == slotCount ? 0 : index + 1
    }

    /// Returns the number of steps from one slot to another, wrapping around at the end.
    private func distance(_ from: Int, _ to: Int) -> Int {
        from <= to ? to - from : to - from + slotCount
    }
}
