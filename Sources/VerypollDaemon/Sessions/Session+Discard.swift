#if Net && OSExt
internal import SystemPackage

extension Session {
    /// Reads and throws away what comes (RFC 863), until the client ends.
    mutating func discard(on bench: inout Workbench) throws(Errno) -> Step {
        for _ in 0..<Workbench.callsPerTurn {
            let hasMore = try receive(on: &bench)
            bench.scratch.removeAll()
            if flags.contains(.inputEnded) { return .end(.completed) }
            if !hasMore { return .wait }
        }
        return .again
    }
}
#endif
