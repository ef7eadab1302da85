#if Net && OSExt
internal import SystemPackage

/// What a session does, as a plain value for the worker to switch over.
enum SessionService: String, Sendable {
    case echo
    case discard
    case drop
    case daytime
    case chargen
    case proxy

    /// Whether the session waits for its client to send the first byte.
    ///
    /// With a proxy either end may be the first to speak.
    var awaitsClient: Bool { self == .echo || self == .discard || self == .proxy }
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
            case .proxy: return proxy(on: &bench)
            }
        } catch {
            bench.scratch.removeAll()
            return .end(.failed(error))
        }
    }
}
#endif
