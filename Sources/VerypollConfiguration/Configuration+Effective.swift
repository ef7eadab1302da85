internal import Logging
package import StrictJSON
internal import SystemPackage

// The configuration in the form of its file, with every default filled in.

/// Makes a JSON object, without the members that are `nil`.
private func object(_ members: [String: JSONValue?]) -> JSONValue {
    .object(members.compactMapValues { $0 })
}

private func span(_ duration: Duration) -> JSONValue { .string(duration.timeSpan) }

private func spanOrOff(_ duration: Duration?) -> JSONValue {
    .string(duration?.timeSpan ?? "off")
}

private func texts(_ values: [some CustomStringConvertible]) -> JSONValue {
    .array(values.map { .string($0.description) })
}

extension Configuration {
    /// The members of a file with the same meaning, with every default filled in.
    ///
    /// Settings without a default are left out if they are not set. Strings with credentials are
    /// shown as they are in the file.
    package var effective: [String: JSONValue] {
        concealment.value.apply(to: unconcealed.mapValues { $0.escapingVariables() })
    }

    /// The effective configuration with the values of credentials.
    var unconcealed: [String: JSONValue] {
        [
            "workers": .number(workers),
            "control": control.effective,
            "limits": object(["maxSessions": .number(limits.maxSessions)]),
            "drain": object(["deadline": span(drain.deadline)]),
            "restart": object(["keepSessions": .boolean(restart.keepSessions)]),
            "exitOnIdle": spanOrOff(exitOnIdle),
            "log": object([
                "level": .string(log.level.rawValue), "sessions": .boolean(log.sessions),
                "format": .string(log.format.rawValue),
            ]),
            "listeners": .object(
                Dictionary(listeners.map { ($0.name, $0.effective) }) { first, _ in first }
            ),
            "upstreams": .object(
                Dictionary(upstreams.map { ($0.name, $0.effective) }) { first, _ in first }
            ),
        ]
    }
}

extension Configuration.Control {
    fileprivate var effective: JSONValue {
        object([
            "socket": socket.map { .string($0.string) },
            "mode": .string(mode.octal),
            "group": group.map { .string($0) },
        ])
    }
}

extension ListenerConfiguration {
    fileprivate var effective: JSONValue {
        object([
            "listen": texts(addresses),
            "handler": handler.effective,
            "maxSessions": maxSessions.map { .number($0) },
            "whenFull": .string(whenFull.rawValue),
            "maxSessionsPerSource": maxSessionsPerSource.map { .number($0) },
            "acceptRate": acceptRate.map { rate in
                object(["perSecond": .number(rate.perSecond), "burst": .number(rate.burst)])
            },
            "allow": allow?.effective,
            "deny": deny.effective,
            "proxyProtocol": proxyProtocol.map { source in
                object(["from": texts(source.from), "timeout": span(source.timeout)])
            },
            "timeouts": timeouts.effective,
            "socket": socket.effective,
            "log": log.sessions.map { object(["sessions": .boolean($0)]) },
        ])
    }
}

extension AddressList {
    fileprivate var effective: JSONValue {
        .array(
            elements.map { element in
                switch element {
                case .block(let block): .string(block.description)
                case .file(let file):
                    object([
                        "file": .string(file.path), "entries": .number(file.entryCount),
                        "hash": .string(file.hash),
                    ])
                }
            }
        )
    }
}

extension Handler {
    fileprivate var effective: JSONValue {
        let type = JSONValue.string(kind.rawValue)
        if case .metrics(let page) = self {
            return object(["type": type, "page": .boolean(page)])
        }
        guard let routing else { return object(["type": type]) }
        let routes = routing.routes.map { ($0.name, $0.effective) }
        return object([
            "type": type,
            "upstream": routing.upstream.map { .string($0) },
            "inspect": .string(routing.inspection.rawValue),
            "routes": routes.isEmpty ? nil : .object(Dictionary(routes) { first, _ in first }),
            "notTLS": routing.notTLS.map { .string($0) },
        ])
    }
}

extension Route {
    fileprivate var effective: JSONValue {
        object([
            "serverNames": serverNames.map { texts($0) },
            "alpn": alpn.map { texts($0) },
            "upstream": .string(upstream),
        ])
    }
}

extension Timeouts {
    fileprivate var effective: JSONValue {
        object([
            "firstByte": spanOrOff(firstByte),
            "idle": spanOrOff(idle),
            "halfClosed": spanOrOff(halfClosed),
            "lifetime": spanOrOff(lifetime),
            "userTimeout": spanOrOff(userTimeout),
            "inspect": span(inspect),
        ])
    }
}

extension SocketOptions {
    fileprivate var effective: JSONValue {
        object([
            "backlog": .number(backlog),
            "noDelay": .boolean(noDelay),
            "keepAlive": spanOrOff(keepAlive),
            "reusePort": .boolean(reusePort),
            "freeBind": .boolean(freeBind),
            "deferAccept": spanOrOff(deferAccept),
            "onlyV6": .boolean(onlyV6),
            "mode": .string(mode.octal),
            "owner": owner.map { .string($0) },
            "group": group.map { .string($0) },
        ])
    }
}

extension UpstreamConfiguration {
    fileprivate var effective: JSONValue {
        object([
            "servers": .array(elements),
            "balance": .string(balance.rawValue),
            "hashKey": balance == .sourceHash ? .string(hashKey.rawValue) : nil,
            "connectTimeout": span(connectTimeout),
            "retry": object(["for": span(retry.duration)]),
            "maxSessions": .number(maxSessions ?? 0),
            "check": check?.effective,
            "passive": object(["fall": .number(passive.fall), "for": span(passive.duration)]),
            "whenDown": .string(whenDown.rawValue),
            "proxyProtocol": .string(proxyProtocol.rawValue),
            "resolve": object([
                "every": span(resolve.interval), "atLeast": span(resolve.atLeast),
                "atMost": span(resolve.atMost),
            ]),
            "slowStart": spanOrOff(slowStart),
        ])
    }

    /// The servers and the services, in the order of the file.
    private var elements: [JSONValue] {
        services.reduce(into: servers.map(\.effective)) { elements, service in
            elements.insert(service.effective, at: min(service.place, elements.count))
        }
    }
}

extension UpstreamConfiguration.Service {
    fileprivate var effective: JSONValue {
        object([
            "srv": .string(name),
            "backup": .boolean(backup),
            "maxSessions": .number(maxSessions ?? 0),
            "state": .string(state.rawValue),
        ])
    }
}

extension UpstreamConfiguration.Server {
    fileprivate var effective: JSONValue {
        object([
            "address": .string(address.description),
            "weight": .number(weight),
            "backup": .boolean(backup),
            "maxSessions": .number(maxSessions ?? 0),
            "state": .string(state.rawValue),
        ])
    }
}

extension UpstreamConfiguration.HealthCheck {
    fileprivate var effective: JSONValue {
        object([
            "interval": span(interval),
            "timeout": span(timeout),
            "rise": .number(rise),
            "fall": .number(fall),
            "type": kind == .exchange ? nil : .string(kind.rawValue),
            "port": port.map { .number(Int($0)) },
            "send": service == nil ? .string(send.text) : nil,
            "expect": service == nil ? .string(expect.text) : nil,
            "http": http,
            "postgresql": postgreSQL,
        ])
    }

    private var http: JSONValue? {
        guard case .http(let http) = service else { return nil }
        return object([
            "path": .string(http.path),
            "host": http.host.map { .string($0) },
            "method": .string(http.method.rawValue),
            "status": .string(http.status.description),
        ])
    }

    private var postgreSQL: JSONValue? {
        guard case .postgresql(let names) = service else { return nil }
        return object([
            "user": .string(names.user),
            "database": names.database.map { .string($0) },
        ])
    }
}
