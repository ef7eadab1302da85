/// What a session of the metrics handler has in hand, from the first byte of a request to the last
/// one of its answer; one that is idle has none.
package final class MetricsExchange {
    /// The millisecond in which its first byte came.
    var beganAt: UInt64
    /// The bytes that came and are not answered yet, at most a head's and one read's.
    var input: [UInt8] = []
    /// The request that waits for the supervisor to write the metrics.
    private(set) var request: RequestHead?
    /// The answer, and how much of it was sent.
    private(set) var reply: [UInt8] = []
    var sentCount = 0
    /// Whether the connection ends behind the answer.
    var isLast = false

    init(now: UInt64) {
        beganAt = now
    }

    /// Whether the head of a request has begun and is not complete.
    var awaitsHead: Bool { request == nil && reply.isEmpty }

    /// Goes on to the next request in the input.
    ///
    /// - Returns: What it was found to be; what is refused is answered already.
    func advance() -> RequestHead.Finding {
        let finding = RequestHead.parse(input.span)
        switch finding {
        case .incomplete: break
        case .refused(let status, let isHead): refuse(status, isHead: isHead)
        case .complete(let head, let byteCount):
            input.removeFirst(byteCount)
            request = head
            if !head.isPersistent { isLast = true }
        }
        return finding
    }

    /// Answers the request that waits; ``isLast`` tells what the client is told about the rest.
    func answer(with exposition: [UInt8]) {
        guard let request = request.take() else { return }
        let date = Self.date()
        reply = HTTPResponse.granting(request, exposition, isLast: isLast, date: date)
    }

    /// Forgets the answer, which was sent; the next request has begun by now.
    func finish(now: UInt64) {
        beganAt = now
        reply = []
        sentCount = 0
    }

    /// Answers that the metrics can't be had at present, and ends the connection behind that.
    func giveUp() {
        guard let request = request.take() else { return }
        refuse(.unavailable, isHead: request.isHead)
    }

    private func refuse(_ status: HTTPStatus, isHead: Bool) {
        isLast = true
        reply = HTTPResponse.refusing(status, isHead: isHead, date: Self.date())
    }

    private static func date() -> String {
        formatHTTPDate(secondsSince1970: WallClock.microseconds() / 1_000_000)
    }
}
