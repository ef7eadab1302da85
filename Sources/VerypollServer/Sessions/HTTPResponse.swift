/// Builds the responses to requests for metrics.
enum HTTPResponse {
    /// Builds a response with metrics.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - exposition: The metrics in the format that the request prefers.
    ///   - isLast: Whether the connection ends after the response.
    ///   - date: The current date in HTTP's format.
    /// - Returns: The bytes of the whole response.
    static func granting(
        _ request: RequestHead,
        _ exposition: [UInt8],
        isLast: Bool,
        date: String
    ) -> [UInt8] {
        let body = request.isHead ? [] : exposition
        let head = head(
            .ok,
            contentType: request.format.contentType,
            length: exposition.count,
            isLast: isLast,
            date: date
        )
        return Array(head.utf8) + body
    }

    /// Builds an error response, after which the connection ends.
    static func refusing(_ status: HTTPStatus, isHead: Bool, date: String) -> [UInt8] {
        let body = "\(status.reason). The metrics are at /metrics, for GET and HEAD.\n"
        let head = head(
            status,
            contentType: "text/plain; charset=utf-8",
            length: body.utf8.count,
            isLast: true,
            date: date
        )
        return Array((isHead ? head : head + body).utf8)
    }

    private static func head(
        _ status: HTTPStatus,
        contentType: String,
        length: Int,
        isLast: Bool,
        date: String
    ) -> String {
        var lines = [
            "HTTP/1.1 \(status.rawValue) \(status.reason)", "Date: \(date)",
            "Content-Type: \(contentType)", "Content-Length: \(length)",
        ]
        if status == .methodNotAllowed { lines.append("Allow: GET, HEAD") }
        if isLast { lines.append("Connection: close") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }
}

extension RequestHead {
    /// The format of the response.
    package var format: MetricsFormat { prefersOpenMetrics ? .openMetrics : .classic }
}
