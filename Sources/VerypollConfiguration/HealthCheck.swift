extension UpstreamConfiguration {
    /// The health checks of servers.
    package struct HealthCheck: Equatable, Sendable {
        /// The time from one check of a server to the next.
        package var interval: Duration
        /// The time in which a check must succeed.
        package var timeout: Duration
        /// The number of successes in a row after which a server that is down is up again.
        package var rise: Int
        /// The number of failures in a row after which a server is down.
        package var fall: Int
        /// The bytes that a check sends; nothing if empty.
        package var send: CheckBytes
        /// The bytes that the answer must contain; if empty, no answer is read.
        package var expect: CheckBytes
        /// The protocol whose ready-made exchange is used; `nil` for ``send`` and ``expect``.
        package var service: Service? = nil
        /// The port to which checks connect; `nil` for the port of the server.
        package var port: UInt16? = nil
        /// Whether messages must not show answers: a check with a credential may get it back.
        package var hidesAnswers = false

        /// The kind of a check, as operators see it.
        package enum Kind: String, Sendable {
            /// The check only connects.
            case connect
            /// The check exchanges ``send`` and ``expect``.
            case exchange
            case http
            case postgresql
            case redis
        }

        /// A protocol that the checks know.
        package enum Service: Equatable, Sendable {
            case http(HTTP)
            case postgresql(PostgreSQL)
            case redis
        }

        /// The words for ready-made checks.
        enum ReadyMade: String, CaseIterable {
            case connect
            case http
            case postgresql
            case redis
        }

        package var kind: Kind {
            switch service {
            case .http: .http
            case .postgresql: .postgresql
            case .redis: .redis
            case nil: send.bytes.isEmpty && expect.bytes.isEmpty ? .connect : .exchange
            }
        }
    }
}

extension UpstreamConfiguration.HealthCheck {
    /// The request of a check over HTTP, and the answers that are successes.
    package struct HTTP: Equatable, Sendable {
        package var path = "/"
        /// The value of the header `Host`; `nil` for the server's own name.
        package var host: String?
        package var method = Method.get
        package var status = StatusCodes.success

        /// The method of a request.
        package enum Method: String, CaseIterable, Sendable {
            case get = "GET"
            case head = "HEAD"
            case options = "OPTIONS"
        }

        package init() {}
    }

    /// The names with which a check begins a PostgreSQL session.
    package struct PostgreSQL: Equatable, Sendable {
        package var user = "postgres"
        /// The name of the database; `nil` for the one that is named like the user.
        package var database: String?

        package init() {}
    }
}
