internal import SystemPackage

extension Session {
    /// Reads and discards the input (RFC 863) until the client's end of file.
    mutating func discard(in context: inout ServeContext) throws(Errno) -> Step {
        for _ in 0..<ServeContext.callsPerTurn {
            guard client.flags.contains(.inputReady) else {
                return client.flags.contains(.inputEnded) ? .end(.completed) : .wait
            }
            try receive(in: &context)
            context.scratch.removeAll()
        }
        return .again
    }
}
