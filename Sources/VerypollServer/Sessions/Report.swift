/// A resource that a `metrics` listener serves and the supervisor writes.
package enum ReportKind: Hashable, Sendable {
    /// The metrics, at `/metrics`.
    case metrics(MetricsFormat)
    /// The status page, at `/`.
    case page
    /// The status as JSON, at `/status.json`.
    case status

    /// The kind at a path; `nil` if there is none.
    init?(path: Span<UInt8>, prefersOpenMetrics: Bool) {
        if path.isExactly("/metrics") {
            self = .metrics(prefersOpenMetrics ? .openMetrics : .classic)
        } else if path.isExactly("/status.json") {
            self = .status
        } else if path.isExactly("/") {
            self = .page
        } else {
            return nil
        }
    }

    /// Whether only listeners with `"page": true` serve the resource.
    package var isPartOfPage: Bool { self == .page || self == .status }

    /// The value of the `Content-Type` field.
    var contentType: String {
        switch self {
        case .metrics(let format): format.contentType
        case .page: "text/html; charset=utf-8"
        case .status: "application/json"
        }
    }
}

/// A resource that the supervisor has written, for any number of requests.
package struct Report: Equatable, Sendable {
    package let kind: ReportKind
    package let body: [UInt8]
    /// The entity tag, in its quotation marks; `nil` if the report has none.
    package let entityTag: String?
    /// Further header fields, each a whole line.
    package let fields: [String]

    package init(
        _ kind: ReportKind,
        body: [UInt8],
        entityTag: String? = nil,
        fields: [String] = []
    ) {
        self.kind = kind
        self.body = body
        self.entityTag = entityTag
        self.fields = fields
    }
}
