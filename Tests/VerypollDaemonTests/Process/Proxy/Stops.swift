internal import Glibc
internal import TestSupport

/// Stops a daemon from time to time, so that events of a session's two ends arrive together.
struct Stops {
    /// Whether the daemon is stopped now.
    private(set) var isStopped = false
    private var changesAt: UInt64 = 0
    private var generator: Generator

    init(seed: UInt64) {
        generator = Generator(state: seed)
    }

    /// Stops or resumes the daemon when it is time to.
    mutating func step(_ program: borrowing Program, now: UInt64) throws {
        guard changesAt <= now else { return }
        isStopped.toggle()
        try program.send(isStopped ? SIGSTOP : SIGCONT)
        changesAt = now + .random(in: 1...(isStopped ? 20 : 40), using: &generator)
    }

    /// Resumes the daemon.
    mutating func finish(_ program: borrowing Program) throws {
        isStopped = false
        try program.send(SIGCONT)
    }
}
