internal import SystemPackage

extension Session {
    /// Sends back what comes (RFC 862), and ends when the client has ended and got everything.
    ///
    /// While something is parked nothing is read, so a client that never reads stops itself.
    mutating func echo(in context: inout ServeContext) throws(Errno) -> Step {
        guard try toClient.flush(to: &client, in: &context) else { return .wait }
        for _ in 0..<ServeContext.callsPerTurn {
            guard client.flags.contains(.inputReady) else {
                return client.flags.contains(.inputEnded) ? .end(.completed) : .wait
            }
            guard context.pool.hasRoom else { return .starved }
            try receive(in: &context)
            try toClient.forwardScratch(to: &client, in: &context)
            guard toClient.isEmpty else { return .wait }
        }
        return .again
    }
}
