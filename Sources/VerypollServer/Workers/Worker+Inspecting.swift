internal import Verypoll

// Choosing the upstreams of sessions by their clients' first bytes.

extension Worker {
    /// Inspects a session's first bytes, and connects it once its upstream is known.
    mutating func inspect(_ key: SlabKey) {
        let slot = sessions[key].listener
        guard let router = context.listeners[slot].router else {
            preconditionFailure("a session is inspected without a router")
        }
        let before = (sessions[key].bytesIn, sessions[key].bytesOut)
        let isRefused = sessions[key].inspection.refusal != nil
        let step = sessions[key].inspect(router, in: &serveContext)
        let moved = (sessions[key].bytesIn - before.0, sessions[key].bytesOut - before.1)
        if moved != (0, 0) {
            tallies.note(slot) { tally in
                tally.bytesIn += moved.0
                tally.bytesOut += moved.1
            }
        }
        switch step {
        case .incomplete: break
        case .again: schedule.ready.append(key)
        case .route(let upstream, let outcome):
            router.inspections.add(outcome)
            if let route = sessions[key].announced?.route {
                router.routes[route].counter.enter(isNew: true)
            }
            sessions[key].activeAt = serveContext.now
            sessions[key].proxyState.connector.route(to: upstream)
            setTimer(key)
            connect(key, .started)
        case .refused(let outcome):
            router.inspections.add(outcome)
            schedule.ready.append(key)
        case .end(let reason):
            if !isRefused, let outcome = InspectionOutcome(reason) {
                router.inspections.add(outcome)
            }
            end(key, because: reason)
        }
    }

    /// Ends a session whose time for the inspection has run out.
    mutating func inspectionTimedOut(_ key: SlabKey) {
        if let reason = sessions[key].inspection.refusal { return end(key, because: reason) }
        context.listeners[sessions[key].listener].router?.inspections.add(.timedOut)
        end(key, because: .timedOut(.inspect))
    }

    /// Takes the names of an ended session back, and counts that its route has one session less.
    mutating func forget(_ announced: inout InspectedClient?, of listener: Listener) {
        guard let client = announced.take() else { return }
        if let route = client.route { listener.router?.routes[route].counter.leave() }
        serveContext.inspectedClients.give(client)
    }
}

extension InspectionOutcome {
    /// The result of an inspection that ended a session; `nil` for other reasons.
    fileprivate init?(_ reason: Session.EndReason) {
        switch reason {
        case .notTLS: self = .notTLS
        case .malformedHello: self = .malformed
        case .helloTooLarge: self = .tooLarge
        default: return nil
        }
    }
}
