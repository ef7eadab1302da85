internal import Logging
internal import StrictJSON
internal import SystemPackage
package import Varlink

// A configuration in the form of its file, with every default filled in.

/// The members of a JSON object; what is `nil` is left out.
private func object(_ members: [String: Varlink.JSONValue?]) -> Varlink.JSONValue {
    .object(members.compactMapValues { $0 })
}

private func span(_ duration: Duration) -> Varlink.JSONValue { .string(duration.timeSpan) }

private func spanOrOff(_ duration: Duration?) -> Varlink.JSONValue {
    .string(duration?.timeSpan ?? "off")
}

private func texts(_ values: [some CustomStringConvertible]) -> Varlink.JSONValue {
    .array(values.map { .string($0.description) })
}

extension Configuration {
    /// The members of a file that says the same, but for what has no value unless the file says so.
    package var effective: [String: Varlink.JSONValue] {
        [
            "workers": .int(workers),
            "control": control.effective,
            "limits": object(["maxSessions": .int(limits.maxSessions)]),
            "drain": object(["deadline": span(drain.deadline)]),
            "restart": object(["keepSessions": .bool(restart.keepSessions)]),
            "exitOnIdle": spanOrOff(exitOnIdle),
            "log": object([
                "level": .string(log.level.rawValue), "sessions": .bool(log.sessions),
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
    fileprivate var effective: Varlink.JSONValue {
        object([
            "socket": socket.map { .string($0.string) },
            "mode": .string(mode.octal),
            "group": group.map { .string($0) },
        ])
    }
}

extension ListenerConfiguration {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "listen": texts(addresses),
            "handler": handler.effective,
            "maxSessions": maxSessions.map { .int($0) },
            "whenFull": .string(whenFull.rawValue),
            "maxSessionsPerSource": maxSessionsPerSource.map { .int($0) },
            "acceptRate": acceptRate.map { rate in
                object(["perSecond": .int(rate.perSecond), "burst": .int(rate.burst)])
            },
            "allow": allow.map { texts($0) },
            "deny": texts(deny),
            "proxyProtocol": proxyProtocol.map { source in
                object(["from": texts(source.from), "timeout": span(source.timeout)])
            },
            "timeouts": timeouts.effective,
            "socket": socket.effective,
        ])
    }
}

extension Handler {
    fileprivate var effective: Varlink.JSONValue {
        var upstream: String?
        if case .proxy(let name) = self { upstream = name }
        return object([
            "type": .string(kind.rawValue), "upstream": upstream.map { .string($0) },
        ])
    }
}

extension Timeouts {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "firstByte": spanOrOff(firstByte),
            "idle": spanOrOff(idle),
            "halfClosed": spanOrOff(halfClosed),
            "lifetime": spanOrOff(lifetime),
            "userTimeout": spanOrOff(userTimeout),
        ])
    }
}

extension SocketOptions {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "backlog": .int(backlog),
            "noDelay": .bool(noDelay),
            "keepAlive": spanOrOff(keepAlive),
            "reusePort": .bool(reusePort),
            "freeBind": .bool(freeBind),
            "deferAccept": spanOrOff(deferAccept),
            "onlyV6": .bool(onlyV6),
            "mode": .string(mode.octal),
            "owner": owner.map { .string($0) },
            "group": group.map { .string($0) },
        ])
    }
}

extension UpstreamConfiguration {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "servers": .array(servers.map(\.effective)),
            "balance": .string(balance.rawValue),
            "connectTimeout": span(connectTimeout),
            "retry": object(["for": span(retry.duration)]),
            "maxSessions": .int(maxSessions ?? 0),
            "check": check?.effective,
            "passive": object(["fall": .int(passive.fall), "for": span(passive.duration)]),
            "whenDown": .string(whenDown.rawValue),
            "proxyProtocol": .string(proxyProtocol.rawValue),
            "resolve": object(["every": span(resolve.interval)]),
        ])
    }
}

extension UpstreamConfiguration.Server {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "address": .string(address.description),
            "weight": .int(weight),
            "backup": .bool(backup),
        ])
    }
}

extension UpstreamConfiguration.HealthCheck {
    fileprivate var effective: Varlink.JSONValue {
        object([
            "interval": span(interval),
            "timeout": span(timeout),
            "rise": .int(rise),
            "fall": .int(fall),
            "send": .string(send),
            "expect": .string(expect),
        ])
    }
}
