internal import Synchronization
internal import SystemPackage

/// The slots of an executor's sources, at addresses that never change.
///
/// Any thread may add a source, so a lock protects the list of free slots. Only the executor's
/// thread removes sources and looks them up. Memory is touched when a slot is first used.
@safe struct SourceTable: ~Copyable {
    private let slots: UnsafeMutablePointer<SourceSlot>
    private let capacity: Int
    private let free = Mutex(FreeSlots())
    /// The number of sources that delay a shutdown.
    private let delaying = Atomic<Int>(0)

    // Not private: Swift 6.3.1 crashes on a private type in a `Mutex` of a noncopyable type.
    struct FreeSlots {
        var first: UInt32 = .max
        var touched: UInt32 = 0
    }

    init(capacity: Int) {
        precondition((1...Int(Int32.max)).contains(capacity), "source limit out of range")
        self.capacity = capacity
        unsafe slots = .allocate(capacity: capacity)
    }

    deinit {
        let touched = free.withLock { Int($0.touched) }
        unsafe slots.deinitialize(count: touched)
        unsafe slots.deallocate()
    }

    /// The number of connections and other sources that delay a shutdown.
    var delayingCount: Int { delaying.load(ordering: .relaxed) }

    /// Reserves a slot, from any thread.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` if the table is full.
    func add(
        _ descriptor: FileDescriptor,
        _ kind: SourceKind
    ) throws(Errno) -> (SourceKey, ThreadReference<SourceSlot>) {
        let index = free.withLock { free -> UInt32? in
            if free.first != .max {
                let index = free.first
                free.first = unsafe slots[Int(index)].nextFree
                return index
            }
            guard free.touched < capacity else { return nil }
            unsafe (slots + Int(free.touched)).initialize(to: SourceSlot())
            free.touched += 1
            return free.touched - 1
        }
        guard let index else { throw .tooManyOpenFiles }
        if kind.delaysShutdown { delaying.wrappingAdd(1, ordering: .relaxed) }
        let slot = unsafe ThreadReference(to: slots + Int(index))
        // Orders the changes after those of the thread that has freed the slot.
        _ = slot.value.events.load(ordering: .acquiring)
        slot.value.occupy(descriptor, kind)
        return (SourceKey(index: index, generation: slot.value.generation), slot)
    }

    /// Returns the slot of a source, or `nil` if the source was removed.
    @inline(__always)
    func slot(_ key: SourceKey) -> ThreadReference<SourceSlot>? {
        let slot = unsafe ThreadReference(to: slots + Int(key.index))
        return slot.value.generation == key.generation ? slot : nil
    }

    /// Frees the slot of a source, whose key becomes invalid.
    func remove(_ key: SourceKey) {
        let slot = unsafe ThreadReference(to: slots + Int(key.index))
        if slot.value.kind.delaysShutdown { delaying.wrappingSubtract(1, ordering: .relaxed) }
        slot.value.vacate()
        free.withLock { free in
            slot.value.nextFree = free.first
            free.first = key.index
        }
    }

    /// Calls `body` for each slot that was ever used.
    func forEach(_ body: (ThreadReference<SourceSlot>) -> Void) {
        let touched = free.withLock { Int($0.touched) }
        for index in 0..<touched { unsafe body(ThreadReference(to: slots + index)) }
    }
}

extension ThreadReference<SourceSlot> {
    /// The reference to one direction of the slot, whose memory does not move.
    @inline(__always)
    func waiter(_ direction: Direction) -> ThreadReference<Waiter> {
        switch direction {
        case .read: unsafe ThreadReference<Waiter>(to: &value.reader)
        case .write: unsafe ThreadReference<Waiter>(to: &value.writer)
        }
    }
}
