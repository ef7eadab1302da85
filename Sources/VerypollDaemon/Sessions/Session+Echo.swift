#if Net && OSExt
internal import SystemPackage

extension Session {
    /// Sends back what comes (RFC 862), and ends when the client has ended and got everything.
    ///
    /// While something is parked nothing is read, so a client that never reads stops itself.
    mutating func echo(on bench: inout Workbench) throws(Errno) -> Step {
        guard try sendParked(on: &bench) else { return .wait }
        for _ in 0..<Workbench.callsPerTurn {
            guard !flags.contains(.inputEnded) else { return .end(.completed) }
            guard flags.contains(.inputReady) else { return .wait }
            guard bench.pool.hasRoom else { return .starved }
            try receive(on: &bench)
            guard try sendScratch(on: &bench) else { return .wait }
        }
        return .again
    }

    /// Sends what the scratch buffer holds and parks the rest; returns whether there is none.
    private mutating func sendScratch(on bench: inout Workbench) throws(Errno) -> Bool {
        guard bench.scratch.count > 0 else { return true }
        let now = bench.now
        _ = try bench.scratch.drain { bytes throws(Errno) in try send(bytes, now: now) }
        guard bench.scratch.count > 0 else { return true }
        var buffer = bench.pool.take()
        bench.scratch.move(to: &buffer)
        parked = consume buffer
        return false
    }

    /// Sends what is parked; returns whether nothing is left of it.
    private mutating func sendParked(on bench: inout Workbench) throws(Errno) -> Bool {
        guard var buffer = parked.take() else { return true }
        let now = bench.now
        do throws(Errno) {
            _ = try buffer.drain { bytes throws(Errno) in try send(bytes, now: now) }
        } catch {
            parked = consume buffer  // The pool counts it, and gets it back with the session's end.
            throw error
        }
        guard buffer.count == 0 else {
            parked = consume buffer
            return false
        }
        bench.pool.give(buffer)
        return true
    }
}
#endif
