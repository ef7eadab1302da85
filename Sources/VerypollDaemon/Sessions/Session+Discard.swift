#if Net && OSExt
internal import SystemPackage

extension Session {
    /// Reads and throws away what comes (RFC 863), until the client ends.
    mutating func discard(on bench: inout Workbench) throws(Errno) -> Step {
        for _ in 0..<Workbench.callsPerTurn {
            guard !flags.contains(.inputEnded) else { return .end(.completed) }
            guard flags.contains(.inputReady) else { return .wait }
            try receive(on: &bench)
            bench.scratch.removeAll()
        }
        return .again
    }
}
#endif
