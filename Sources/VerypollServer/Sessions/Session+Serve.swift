internal import SystemPackage

extension Session {
    /// The result of serving a session; the worker acts on it and on nothing else.
    struct Outcome {
        /// The next step of the session.
        var step: Step
        /// The bytes read from the client and written to it.
        let bytesIn: UInt64
        let bytesOut: UInt64
        /// The bytes read from the server and written to it.
        let server: ServerTally
        /// Whether the server was reached in this call.
        let hasConnected: Bool
        /// Whether the first of the two directions has ended in this call.
        let hasHalfClosed: Bool
        /// Whether the session waits for the rest of a request head.
        let awaitsHead: Bool
        /// Whether a write was short and no event would report room, because room is not watched
        /// yet.
        let isBlocked: Bool
    }

    /// Serves the session within a bounded number of system calls.
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
        if outcome.hasHalfClosed {
            halfClosedAt = context.now
            firstEnd = endedParty
        }
        return outcome
    }

    /// Runs the handler of the session's listener.
    ///
    /// The contract of a handler function:
    ///
    /// - It does at most `ServeContext.callsPerTurn` rounds of reading and writing, for a proxy in
    ///   each direction, and returns `.again` if there is more to do.
    /// - It leaves `scratch` empty. If it throws, `dispatch` empties it.
    /// - It returns `.wait` only if something will make the worker serve the session again. Events
    ///   are edge-triggered, so that is the case if the input is drained (`inputReady` is off), if
    ///   a write was short (`outputReady` is off), or if a report of the supervisor is awaited.
    private mutating func dispatch(_ service: SessionService, in context: inout ServeContext)
        -> Step
    {
        do throws(Errno) {
            switch service {
            case .echo: return try echo(in: &context)
            case .discard: return try discard(in: &context)
            case .drop:
                firstEnd = .daemon
                return .end(.completed)
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
