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
    case metrics

    /// Whether the session waits for its client to send the first byte.
    ///
    /// With a proxy either end may be the first to speak.
    var awaitsClient: Bool {
        switch self {
        case .echo, .discard, .proxy, .metrics: true
        case .drop, .daytime, .chargen: false
        }
    }
}

extension Session {
    /// Does what there is to do, within a bounded number of system calls, and tells the bench.
    mutating func serve(_ service: SessionService, on bench: inout Workbench) -> Step {
        let before = (bytesIn: bytesIn, bytesOut: bytesOut)
        let (taken, given) = (down.taken, up.given)
        let wasConnecting = route.phase == .connecting
        let step = dispatch(service, on: &bench)
        bench.turn = Workbench.Turn(
            bytesIn: bytesIn - before.bytesIn,
            bytesOut: bytesOut - before.bytesOut,
            server: ServerTally(bytesIn: down.taken - taken, bytesOut: up.given - given),
            hasConnected: wasConnecting && route.phase == .connected,
            hasHalfClosed: halfClosedAt == 0 && isHalfClosed,
            awaitsHead: exchange?.awaitsHead ?? false,
            isBlocked: client.lacksOutputEvents || server.lacksOutputEvents
        )
        if bench.turn.bytesIn + bench.turn.bytesOut > 0 { activeAt = bench.now }
        if bench.turn.hasHalfClosed { halfClosedAt = bench.now }
        return step
    }

    private mutating func dispatch(_ service: SessionService, on bench: inout Workbench) -> Step {
        do throws(Errno) {
            switch service {
            case .echo: return try echo(on: &bench)
            case .discard: return try discard(on: &bench)
            case .drop: return .end(.completed)
            case .daytime: return try daytime(on: &bench)
            case .chargen: return try chargen(on: &bench)
            case .proxy: return proxy(on: &bench)
            case .metrics: return try metrics(on: &bench)
            }
        } catch {
            bench.scratch.removeAll()
            return .end(.failed(error))
        }
    }
}
#endif
