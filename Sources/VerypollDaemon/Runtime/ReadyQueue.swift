/// The sessions that stopped before they ran out of work, so that others had their turn.
///
/// Edge-triggered readiness is not reported again, so whoever leaves work undone stands here.
struct ReadyQueue: ~Copyable {
    private var keys: [SlabKey] = []
    private var turn: [SlabKey] = []

    /// Whether nobody waits.
    var isEmpty: Bool { keys.isEmpty }

    /// Puts a session at the end; the caller sees to it that it stands here once.
    mutating func append(_ key: SlabKey) {
        keys.append(key)
    }

    /// How many sessions the present turn has, each of which gets to run once.
    ///
    /// Those that are added while it lasts belong to the next turn.
    mutating func beginTurn() -> Int {
        turn.removeAll(keepingCapacity: true)
        swap(&keys, &turn)
        return turn.count
    }

    /// A session of the present turn.
    subscript(position: Int) -> SlabKey { turn[position] }
}
