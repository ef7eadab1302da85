extension Session {
    /// A moment, and what it is the end of.
    struct Deadline {
        let millisecond: UInt64
        let timeout: Timeout
    }

    /// When the session is to end if nothing happens, and why; `nil` if no time bounds it.
    func deadline(_ timeouts: SessionTimeouts) -> Deadline? {
        var first: Deadline?
        func consider(_ timeout: Timeout, _ span: UInt64, since start: UInt64) {
            guard span != .max else { return }
            // The millisecond of the start was not over yet, and no session is to end early.
            let moment = start + span + 1
            if first.map({ moment < $0.millisecond }) ?? true {
                first = Deadline(millisecond: moment, timeout: timeout)
            }
        }
        if awaitsHeader { consider(.proxyHeader, timeouts.proxyHeader, since: openedAt) }
        // What came may still be unread, while no server takes it.
        if bytesIn == 0, bytesOut == 0, !client.flags.contains(.inputReady) {
            consider(.firstByte, timeouts.firstByte, since: openedAt)
        }
        if let exchange, exchange.awaitsHead {
            consider(.requestHead, timeouts.requestHead, since: exchange.beganAt)
        }
        if isHalfClosed { consider(.halfClosed, timeouts.halfClosed, since: halfClosedAt) }
        consider(.idle, timeouts.idle, since: activeAt)
        consider(.lifetime, timeouts.lifetime, since: openedAt)
        let nextAt = proxyState.connector.nextAt
        if nextAt != .max { consider(.connector, nextAt, since: 0) }
        return first
    }
}
