extension Session {
    /// The moment at which a session's timer fires, and the timeout that it belongs to.
    struct Deadline {
        let millisecond: UInt64
        let timeout: Timeout
    }

    /// Returns the time at which the session's timer fires next, and the timeout that causes it;
    /// `nil` if no timeout applies.
    ///
    /// There is one timer per session; `Worker.handleTimers` acts on it.
    func deadline(_ timeouts: SessionTimeouts) -> Deadline? {
        var first: Deadline?
        func consider(_ timeout: Timeout, _ span: UInt64, since start: UInt64) {
            guard span != .max else { return }
            // The start may be anywhere in its millisecond, and no session may end early.
            let moment = start + span + 1
            if first.map({ moment < $0.millisecond }) ?? true {
                first = Deadline(millisecond: moment, timeout: timeout)
            }
        }
        if awaitsHeader { consider(.proxyHeader, timeouts.proxyHeader, since: openedAt) }
        // While no server is connected, the client's first bytes may have arrived without being
        // read.
        if inspection != .none {
            consider(.inspect, timeouts.inspect, since: openedAt)
        } else if bytesIn == 0, bytesOut == 0, !client.flags.contains(.inputReady) {
            consider(.firstByte, timeouts.firstByte, since: openedAt)
        }
        if let exchange, exchange.awaitsHead {
            consider(.requestHead, timeouts.requestHead, since: exchange.beganAt)
        }
        // A refused client has its own deadline, `inspect`.
        if isHalfClosed, inspection == .none {
            consider(.halfClosed, timeouts.halfClosed, since: halfClosedAt)
        }
        consider(.idle, timeouts.idle, since: activeAt)
        consider(.lifetime, timeouts.lifetime, since: openedAt)
        let nextAt = proxyState.connector.nextAt
        if nextAt != .max { consider(.connector, nextAt, since: 0) }
        return first
    }
}
