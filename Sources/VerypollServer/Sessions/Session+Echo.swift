internal import SystemPackage

extension Session {
    /// Sends the input back (RFC 862); ends after the client's end of file, when everything was
    /// sent.
    ///
    /// While bytes wait for the client, nothing is read, so a client that never reads stalls only
    /// itself.
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
