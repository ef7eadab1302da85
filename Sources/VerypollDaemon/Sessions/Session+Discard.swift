#if Net && OSExt
internal import SystemPackage

extension Session {
    /// Reads and throws away what comes (RFC 863), until the client ends.
    mutating func discard(on bench: inout Workbench) throws(Errno) -> Step {
        for _ in 0..<Workbench.callsPerTurn {
            guard client.flags.contains(.inputReady) else {
                return client.flags.contains(.inputEnded) ? .end(.completed) : .wait
            }
            try receive(on: &bench)
            bench.scratch.removeAll()
        }
        return .again
    }
}
#endif
