package import StrictJSON

/// The interface `io.systemd.Metrics`, over which systemd-report collects the metrics of services.
package enum MetricsInterface {
    /// The name of the interface.
    package static let name = "io.systemd.Metrics"

    /// The prefix of the names of all families: the name of the daemon's socket in
    /// `/run/systemd/report`, and a dot.
    package static let prefix = DaemonInterface.name + "."

    /// The methods of the interface.
    package enum Method: String, CaseIterable, Sendable {
        case list = "io.systemd.Metrics.List"
        case describe = "io.systemd.Metrics.Describe"
    }

    /// The description of the interface.
    package static let description = """
        # The metrics of a service, in the form that systemd-report collects. Both methods require the
        # flag "more", and send one reply for each entry.
        interface io.systemd.Metrics

        # The type of the values of a family:
        # - counter: a number that only grows, until the service restarts
        # - gauge: a number that grows and shrinks
        # - string: a text
        type MetricFamilyType (counter, gauge, string)

        # Lists the values of all metrics at this moment. The metrics of a family have the same name,
        # and differ by object or fields.
        #
        # The object is a listener, an upstream, a server as UPSTREAM/ADDRESS, or a worker; it is
        # absent if the metric is about the daemon. The members of fields are strings.
        #
        # All replies together have at most 4 MiB. If there are too many metrics, none is listed, and
        # the error is io.verypoll.Daemon.AnswerTooLong.
        method List() -> (name: string, object: ?string, value: any, fields: ?object)

        # Describes all families of metrics, including those that have no metric at this moment.
        method Describe() -> (name: string, description: string, type: MetricFamilyType)

        # The service has no metrics. This service always has some.
        error NoSuchMetric ()

        """
}

/// A metric with its value: a reply of `List`.
package struct ReportedMetric: Codable, Hashable, Sendable {
    /// The name of the family, with ``MetricsInterface/prefix``.
    package var name: String
    /// The part of the daemon that the value is about; `nil` for the daemon itself.
    package var object: String?
    /// A number or a string.
    package var value: JSONValue
    /// More distinctions, by name; `nil` if there are none.
    package var fields: [String: String]?

    /// Makes a reply.
    package init(
        name: String,
        object: String? = nil,
        value: JSONValue,
        fields: [String: String]? = nil
    ) {
        self.name = name
        self.object = object
        self.value = value
        self.fields = fields
    }
}

/// The description of a family of metrics: a reply of `Describe`.
package struct ReportedFamily: Codable, Hashable, Sendable {
    /// The type of the values of a family.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case counter, gauge, string
    }

    /// The name, with ``MetricsInterface/prefix``.
    package var name: String
    package var description: String
    package var type: Kind

    /// Makes a reply.
    package init(name: String, description: String, type: Kind) {
        self.name = name
        self.description = description
        self.type = type
    }
}
