#if Net && OSExt
internal import SystemPackage

/// What a session does, as a plain value for the worker to switch over.
enum SessionService: String, Sendable {
    case echo
    case discard
    case drop
    case daytime
    case chargen

    /// Whether the session waits for its client to send the first byte.
    var awaitsClient: Bool { self == .echo || self == .discard }
}

extension Session {
    /// Does what there is to do, within a bounded number of system calls.
    mutating func serve(_ service: SessionService, on bench: inout Workbench) -> Step {
        do throws(Errno) {
            switch service {
            case .echo: return try echo(on: &bench)
            case .discard: return try discard(on: &bench)
            case .drop: return .end(.completed)
            case .daytime: return try daytime(on: &bench)
            case .chargen: return try chargen(on: &bench)
            }
        } catch {
            bench.scratch.removeAll()
            return .end(.failed(error))
        }
    }
}
#endif
