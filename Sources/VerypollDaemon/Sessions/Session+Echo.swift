#if Net && OSExt
internal import SystemPackage

extension Session {
    /// Sends back what comes (RFC 862), and ends when the client has ended and got everything.
    ///
    /// While something is parked nothing is read, so a client that never reads stops itself.
    mutating func echo(on bench: inout Workbench) throws(Errno) -> Step {
        guard try down.flush(to: &client, on: &bench) else { return .wait }
        for _ in 0..<Workbench.callsPerTurn {
            guard client.flags.contains(.inputReady) else {
                return client.flags.contains(.inputEnded) ? .end(.completed) : .wait
            }
            guard bench.pool.hasRoom else { return .starved }
            try receive(on: &bench)
            try down.forwardScratch(to: &client, on: &bench)
            guard down.isEmpty else { return .wait }
        }
        return .again
    }
}
#endif
