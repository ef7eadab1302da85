internal import SystemPackage

extension Session {
    /// Does what there is to do, within a bounded number of system calls, and tells the context.
    mutating func serve(_ service: SessionService, in context: inout ServeContext) -> Step {
        let before = (bytesIn: bytesIn, bytesOut: bytesOut)
        let (taken, given) = (toClient.taken, toServer.given)
        let wasConnecting = route.phase == .connecting
        let step = dispatch(service, in: &context)
        context.turn = ServeContext.Turn(
            bytesIn: bytesIn - before.bytesIn,
            bytesOut: bytesOut - before.bytesOut,
            server: ServerTally(bytesIn: toClient.taken - taken, bytesOut: toServer.given - given),
            hasConnected: wasConnecting && route.phase == .connected,
            hasHalfClosed: halfClosedAt == 0 && isHalfClosed,
            awaitsHead: exchange?.awaitsHead ?? false,
            isBlocked: client.lacksOutputEvents || server.lacksOutputEvents
        )
        if context.turn.bytesIn + context.turn.bytesOut > 0 { activeAt = context.now }
        if context.turn.hasHalfClosed { halfClosedAt = context.now }
        return step
    }

    private mutating func dispatch(_ service: SessionService, in context: inout ServeContext)
        -> Step
    {
        do throws(Errno) {
            switch service {
            case .echo: return try echo(in: &context)
            case .discard: return try discard(in: &context)
            case .drop: return .end(.completed)
            case .daytime: return try daytime(in: &context)
            case .chargen: return try chargen(in: &context)
            case .proxy: return proxy(in: &context)
            case .metrics: return try metrics(in: &context)
            }
        } catch {
            context.scratch.removeAll()
            return .end(.failed(error))
        }
    }
}
