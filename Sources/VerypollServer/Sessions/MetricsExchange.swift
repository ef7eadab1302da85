/// A metrics session's request and response, from the first byte of the request to the last byte of
/// the response.
///
/// A session without an open request has no exchange.
package final class MetricsExchange {
    /// The millisecond in which the first byte of the request arrived.
    var beganAt: UInt64
    /// The received bytes that are not answered yet, at most those of one head and one read.
    var input: [UInt8] = []
    /// The request that waits until the supervisor has written the report.
    private(set) var request: RequestHead?
    /// The response; empty until it is built.
    private(set) var reply: [UInt8] = []
    var sentCount = 0
    /// Whether the connection ends after the response.
    var isLast = false

    init(now: UInt64) {
        beganAt = now
    }

    /// Whether the head of a request has begun and is not complete yet.
    var awaitsHead: Bool { request == nil && reply.isEmpty }

    /// Parses the next request in the input.
    ///
    /// - Returns: The result; a refused request already has its response.
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

    /// Builds the response to the waiting request; set ``isLast`` before.
    func answer(with report: Report) {
        guard let request = request.take() else { return }
        let date = Self.date()
        reply = HTTPResponse.granting(request, report, isLast: isLast, date: date)
    }

    /// Drops the response after it was sent, because the next request has already begun.
    func finish(now: UInt64) {
        beganAt = now
        reply = []
        sentCount = 0
    }

    /// Refuses the waiting request, and ends the connection after that.
    func refuse(_ status: HTTPStatus) {
        guard let request = request.take() else { return }
        refuse(status, isHead: request.isHead)
    }

    private func refuse(_ status: HTTPStatus, isHead: Bool) {
        isLast = true
        reply = HTTPResponse.refusing(status, isHead: isHead, date: Self.date())
    }

    private static func date() -> String {
        formatHTTPDate(secondsSince1970: WallClock.microseconds() / 1_000_000)
    }
}
