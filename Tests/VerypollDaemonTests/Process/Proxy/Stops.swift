internal import Glibc
internal import TestSupport

/// Stops of a daemon, by which events of the two ends of a session come together.
struct Stops {
    /// Whether it is stopped at present.
    private(set) var isStopped = false
    private var changesAt: UInt64 = 0
    private var generator: Generator

    init(seed: UInt64) {
        generator = Generator(state: seed)
    }

    /// Stops the daemon, or lets it go on, when the time has come.
    mutating func step(_ program: borrowing Program, now: UInt64) throws {
        guard changesAt <= now else { return }
        isStopped.toggle()
        try program.send(isStopped ? SIGSTOP : SIGCONT)
        changesAt = now + .random(in: 1...(isStopped ? 20 : 40), using: &generator)
    }

    /// Lets it go on for good.
    mutating func finish(_ program: borrowing Program) throws {
        isStopped = false
        try program.send(SIGCONT)
    }
}
