internal import SystemPackage

extension Session {
    /// Answers requests for the metrics, one after the other, and reads nothing meanwhile.
    ///
    /// The supervisor writes the metrics, so that no worker is held up. After the last answer the
    /// session waits for the client's end, as in ``daytime(on:)``.
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

    /// Does what can be done without further bytes; returns `nil` if these are needed.
    private mutating func advance(
        _ exchange: MetricsExchange,
        in context: inout ServeContext
    ) throws(Errno) -> Step? {
        guard exchange.request == nil else { return .wait }
        if exchange.reply.isEmpty {
            switch exchange.advance() {
            case .incomplete: return nil
            case .complete(let head, _): return .askForMetrics(head.format)
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
        return .again  // A request that came with this one has its own turn.
    }
}
