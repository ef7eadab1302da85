internal import SystemPackage

extension Session {
    /// Answers requests for reports one at a time, and reads nothing while a request is
    /// answered.
    ///
    /// The supervisor writes the reports, so that no worker is delayed. After the last response,
    /// the session waits for the client's end of file, as in ``daytime(in:)``.
    mutating func metrics(in context: inout ServeContext) throws(Errno) -> Step {
        guard !client.flags.contains(.outputEnded) else { return try discard(in: &context) }
        for _ in 0..<ServeContext.callsPerTurn {
            if let exchange, let step = try advance(exchange, in: &context) { return step }
            guard client.flags.contains(.inputReady) else {
                return client.flags.contains(.inputEnded) ? .end(.completed) : .wait
            }
            try receive(in: &context)
            guard context.scratch.count > 0 else { continue }
            let exchange = self.exchange ?? MetricsExchange(now: context.now)
            self.exchange = exchange
            _ = context.scratch.drain { bytes in
                for index in bytes.indices { exchange.input.append(bytes[index]) }
                return bytes.count
            }
        }
        return .again
    }

    /// Does everything that needs no more input; returns `nil` if more input is needed.
    private mutating func advance(
        _ exchange: MetricsExchange,
        in context: inout ServeContext
    ) throws(Errno) -> Step? {
        guard exchange.request == nil else { return .wait }
        if exchange.reply.isEmpty {
            switch exchange.advance() {
            case .incomplete: return nil
            case .complete(let head, _): return .askForReport(head.kind)
            case .refused: break
            }
        }
        let reply = exchange.reply
        let rest = reply.span.extracting(exchange.sentCount...)
        exchange.sentCount += try send(rest)
        guard exchange.sentCount == reply.count else { return .wait }
        if exchange.isLast {
            self.exchange = nil
            try client.endOutput()
            return try discard(in: &context)
        }
        guard !exchange.input.isEmpty else {
            self.exchange = nil
            return nil
        }
        exchange.finish(now: context.now)
        return .again  // The next request gets a turn of its own.
    }
}
