internal import SystemPackage

extension Session {
    /// The result of serving a session: all that the worker acts on.
    struct Outcome {
        /// What is to become of the session.
        let step: Step
        /// The bytes that were read from the client and sent to it.
        let bytesIn: UInt64
        let bytesOut: UInt64
        /// The bytes from and to its server.
        let server: ServerTally
        /// Whether its server was reached.
        let hasConnected: Bool
        /// Whether the first of its channels has ended.
        let hasHalfClosed: Bool
        /// Whether it waits for the rest of a request's head.
        let awaitsHead: Bool
        /// Whether a write came short, and no event would announce that there is room again.
        let isBlocked: Bool
    }

    /// Does what there is to do, within a bounded number of system calls.
    mutating func serve(_ service: SessionService, in context: inout ServeContext) -> Outcome {
        let before = (bytesIn: bytesIn, bytesOut: bytesOut)
        let (taken, given) = (toClient.taken, toServer.given)
        let wasConnecting = proxyState.connector.phase == .connecting
        let step = dispatch(service, in: &context)
        let outcome = Outcome(
            step: step,
            bytesIn: bytesIn - before.bytesIn,
            bytesOut: bytesOut - before.bytesOut,
            server: ServerTally(bytesIn: toClient.taken - taken, bytesOut: toServer.given - given),
            hasConnected: wasConnecting && proxyState.connector.phase == .connected,
            hasHalfClosed: halfClosedAt == 0 && isHalfClosed,
            awaitsHead: exchange?.awaitsHead ?? false,
            isBlocked: client.lacksOutputEvents || proxyState.server.lacksOutputEvents
        )
        if outcome.bytesIn + outcome.bytesOut > 0 { activeAt = context.now }
        if outcome.hasHalfClosed { halfClosedAt = context.now }
        return outcome
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
