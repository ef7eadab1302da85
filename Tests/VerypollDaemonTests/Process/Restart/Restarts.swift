internal import TestSupport
internal import Testing

/// Restarts a daemon while clients are active, without waiting for any step.
struct Restarts {
    private enum Phase {
        case running(until: UInt64)
        case ending
    }

    /// How many restarts there were.
    private(set) var count = 0
    private var phase = Phase.running(until: 0)

    /// Continues the current restart, or begins the next.
    mutating func step(_ daemon: inout TestDaemon, now: UInt64) throws {
        switch phase {
        case .running(let end):
            // The first daemon has just become ready; later ones become ready on their own.
            guard end <= now, try count == 0 || daemon.isReady else { return }
            try daemon.stop(forRestart: true)
            phase = .ending
        case .ending:
            guard let exit = try daemon.program.exit else { return }
            #expect(exit == .code(0))
            try daemon.start()
            count += 1
            phase = .running(until: now + .random(in: 20...200))
        }
    }

    /// Finishes the current restart, if there is one.
    mutating func finish(_ daemon: inout TestDaemon) throws {
        guard case .ending = phase else { return }
        #expect(try daemon.program.waitForExit() == .code(0))
        try daemon.start()
        count += 1
        phase = .running(until: 0)
    }
}
