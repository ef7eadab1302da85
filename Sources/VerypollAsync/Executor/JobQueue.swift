/// The jobs that are ready to run on the executor's own thread, first in, first out.
///
/// It has no limit of its own: each job belongs to a task, and no task has more than one.
@safe struct JobQueue: ~Copyable {
    // A ring whose capacity is a power of two.
    private var ring: UnsafeMutablePointer<UnownedJob>
    private var capacity = 64
    private var head = 0
    private(set) var count = 0

    init() {
        unsafe ring = .allocate(capacity: capacity)
    }

    deinit {
        unsafe ring.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ job: UnownedJob) {
        if count == capacity { grow() }
        unsafe (ring + ((head &+ count) & (capacity &- 1))).initialize(to: job)
        count &+= 1
    }

    @inline(__always)
    mutating func popFirst() -> UnownedJob? {
        guard count > 0 else { return nil }
        let job = unsafe ring[head]
        head = (head &+ 1) & (capacity &- 1)
        count &-= 1
        return job
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<UnownedJob>.allocate(capacity: capacity * 2)
        for index in 0..<count {
            unsafe (larger + index).initialize(to: ring[(head + index) & (capacity - 1)])
        }
        unsafe ring.deallocate()
        unsafe ring = larger
        head = 0
        capacity *= 2
    }
}
