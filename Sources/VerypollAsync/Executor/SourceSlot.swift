internal import Synchronization
internal import SystemPackage
internal import Verypoll

/// The executor's record of one source.
///
/// Other threads may use the atomics while the source exists. Everything else belongs to the
/// executor's thread.
struct SourceSlot: ~Copyable {
    var descriptor = FileDescriptor(rawValue: -1)
    var reader = Waiter()
    var writer = Waiter()

    var kind = SourceKind.other

    /// Whether a short read proves that the source is drained.
    ///
    /// True for TCP, until an end of file, an error or urgent data was reported: those need a read
    /// of their own. A read of a Unix-domain socket also stops at passed descriptors.
    var trustsShortReads = false

    /// Whether the poll also watches for writability.
    ///
    /// Most connections never fill their send buffer, so this starts with the first write that
    /// does.
    var watchesWrites = false

    /// How many events there were.
    ///
    /// Threads that cannot see `isBlocked` compare it to learn whether
    /// they missed one.
    let events = Atomic<UInt32>(0)

    /// The numbers of cancellable operations and scopes.
    let operations = Atomic<UInt32>(0)

    /// How many sources the slot held before; changed by the executor's thread alone.
    var generation: UInt32 = 0

    /// The next free slot.
    var nextFree: UInt32 = .max

    /// Prepares a free slot for a new source, on any thread.
    mutating func occupy(_ descriptor: FileDescriptor, _ kind: SourceKind) {
        self.descriptor = descriptor
        self.kind = kind
        trustsShortReads = kind == .tcpStream
        watchesWrites = false
        countEvent()
    }

    /// Invalidates the key of the source, and resets what the executor's thread may look at in a
    /// slot that another thread is occupying.
    mutating func vacate() {
        generation = (generation &+ 1) & 0x7FFF_FFFF
        reader = Waiter()
        writer = Waiter()
        countEvent()
    }

    /// Counts an event, and publishes the slot: a thread that reads the count sees the changes that
    /// were made before.
    @inline(__always)
    func countEvent() {
        events.store(events.load(ordering: .acquiring) &+ 1, ordering: .releasing)
    }

    /// Returns a number for an operation or a scope of this source; never 0.
    func nextOperation() -> UInt32 {
        let number = operations.wrappingAdd(1, ordering: .relaxed).newValue & 0x7FFF_FFFF
        return number == 0 ? nextOperation() : number
    }

    /// Returns the number of a scope of many sources, which no scope of a single one has.
    static func serveScope(numbered number: UInt32) -> UInt32 { number | 0x8000_0000 }
}

/// The kinds of sources that the executor treats differently.
enum SourceKind: UInt8 {
    case tcpStream
    case listener
    case signals
    case pipe
    case other

    /// Whether a shutdown waits until such a source is closed.
    ///
    /// Listeners and signals may live as long as the program.
    var delaysShutdown: Bool { self != .listener && self != .signals }
}

/// The place of a source in its executor's table, and the token of its events.
struct SourceKey: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    /// Never negative, because generations have 31 bits.
    var token: Token { Token(Int(generation) << 32 | Int(index)) }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    @inline(__always)
    init?(_ token: Token) {
        guard token.rawValue >= 0 else { return nil }
        index = UInt32(truncatingIfNeeded: token.rawValue)
        generation = UInt32(truncatingIfNeeded: token.rawValue >> 32)
    }
}
