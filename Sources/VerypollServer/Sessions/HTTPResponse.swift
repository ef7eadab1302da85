/// Builds the responses to requests for reports.
enum HTTPResponse {
    /// Builds a response with a report, or without its body if the client already has it.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - report: The report that the request asks for.
    ///   - isLast: Whether the connection ends after the response.
    ///   - date: The current date in HTTP's format.
    /// - Returns: The bytes of the whole response.
    static func granting(
        _ request: RequestHead,
        _ report: Report,
        isLast: Bool,
        date: String
    ) -> [UInt8] {
        let isKnown = report.entityTag.map { tag in
            request.knownTags.contains { $0 == tag || $0 == "*" }
        }
        let status = isKnown == true ? HTTPStatus.notModified : .ok
        var fields = report.fields
        if let tag = report.entityTag { fields.append("ETag: \(tag)") }
        if status == .ok {
            fields.append("Content-Type: \(report.kind.contentType)")
            fields.append("Content-Length: \(report.body.count)")
        }
        let head = head(status, fields, isLast: isLast, date: date)
        return Array(head.utf8) + (status == .ok && !request.isHead ? report.body : [])
    }

    /// Builds an error response, after which the connection ends.
    static func refusing(_ status: HTTPStatus, isHead: Bool, date: String) -> [UInt8] {
        let body = "\(status.reason). The metrics are at /metrics, for GET and HEAD.\n"
        let fields = [
            "Content-Type: text/plain; charset=utf-8", "Content-Length: \(body.utf8.count)",
        ]
        let head = head(status, fields, isLast: true, date: date)
        return Array((isHead ? head : head + body).utf8)
    }

    private static func head(
        _ status: HTTPStatus,
        _ fields: [String],
        isLast: Bool,
        date: String
    ) -> String {
        var lines = ["HTTP/1.1 \(status.rawValue) \(status.reason)", "Date: \(date)"] + fields
        if status == .methodNotAllowed { lines.append("Allow: GET, HEAD") }
        if isLast { lines.append("Connection: close") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }
}
