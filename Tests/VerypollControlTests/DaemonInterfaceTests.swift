import StrictJSON
import Testing
import Varlink

@testable import VerypollControl

/// Checks that the interface file and the Codable types agree.
@Suite("DaemonInterface")
struct DaemonInterfaceTests {
    private typealias Kind = InterfaceDescription.Kind

    private let described: InterfaceDescription

    init() throws {
        described = try InterfaceDescription(DaemonInterface.description)
    }

    /// Returns the kinds of a value's stored properties by name.
    private func fields(of value: Any) -> [String: Kind] {
        var fields: [String: Kind] = [:]
        for child in Mirror(reflecting: value).children {
            fields[child.label ?? ""] = kind(of: type(of: child.value))
        }
        return fields
    }

    private func kind(of type: Any.Type) -> Kind {
        switch type {
        case is Bool.Type: .bool
        case is Bool?.Type: .nullable(.bool)
        case is Int.Type: .int
        case is Double.Type: .float
        case is String.Type: .string
        case is String?.Type: .nullable(.string)
        case is Int?.Type: .nullable(.int)
        case is [Status.Listener].Type: .array(.named("Listener"))
        case is [Status.Listener.Address].Type: .array(.named("ListenAddress"))
        case is [Status.Upstream].Type: .array(.named("Upstream"))
        case is [Status.Server].Type: .array(.named("Server"))
        case is [Status.Service]?.Type: .nullable(.array(.named("Service")))
        case is [Status.Ranking].Type: .array(.named("Ranking"))
        case is [Status.RankedServer].Type: .array(.named("RankedServer"))
        case is [Status.Routing].Type: .array(.named("Routing"))
        case is [Status.Route].Type: .array(.named("Route"))
        case is [String].Type: .array(.string)
        case is [String]?.Type: .nullable(.array(.string))
        case is [String: JSONValue].Type: .object
        case is [ConfigurationChange].Type: .array(.named("Change"))
        case is [ConfigurationChange]?.Type: .nullable(.array(.named("Change")))
        case is [Problem]?.Type: .nullable(.array(.named("Problem")))
        case is ConfigurationChange.Kind.Type: .named("ChangeKind")
        case is MonitorEvent.Kind.Type: .string
        case is Status?.Type: .nullable(.named("Status"))
        case is Status.LastReload?.Type: .nullable(.named("LastReload"))
        case is Status.Session.Type: .named("Session")
        case is Status.Session?.Type: .nullable(.named("Session"))
        case is Status.Listener?.Type: .nullable(.named("Listener"))
        case is Status.Server?.Type: .nullable(.named("Server"))
        case is Status.Check?.Type: .nullable(.named("Check"))
        case is Status.Server.Mode.Type: .named("ServerMode")
        case is Status.Server.Mode?.Type: .nullable(.named("ServerMode"))
        case is Status.Server.State.Type: .named("ServerState")
        case is [Status.Worker].Type: .array(.named("Worker"))
        case is [Status.Session].Type: .array(.named("Session"))
        case is Status.Totals.Type: .named("Totals")
        case is Caller?.Type: .nullable(.named("Caller"))
        case is Status.State.Type: .named("State")
        case is Status.Listener.State.Type: .named("ListenerState")
        case is Status.Listener.Address.Origin.Type: .named("Origin")
        case is Status.Session.State.Type: .named("SessionState")
        default: .named("no kind for \(type)")
        }
    }

    @Test("the interface file declares the interface of its name")
    func isNamed() throws {
        let interface = try Interface(description: DaemonInterface.description)

        #expect(interface.name == DaemonInterface.name)
        #expect(Set(described.methods.keys) == interface.methods)
    }

    @Test("the declared methods and errors are the ones in the code")
    func names() {
        let prefix = DaemonInterface.name + "."
        #expect(
            Set(DaemonInterface.Method.allCases.map(\.rawValue))
                == Set(described.methods.keys.map { prefix + $0 })
        )
        #expect(
            Set(DaemonInterface.ErrorName.allCases.map(\.rawValue))
                == Set(described.errors.keys.map { prefix + $0 })
        )
    }

    @Test("replies have the declared fields and kinds")
    func describesReplies() throws {
        #expect(described.methods["GetStatus"]?.output == fields(of: Sample.status))
        #expect(
            described.methods["ListListeners"]?.output
                == fields(of: ListenerList(listeners: Sample.status.listeners))
        )
        #expect(
            described.methods["ListUpstreams"]?.output
                == fields(of: UpstreamList(upstreams: Sample.status.upstreams))
        )
        #expect(
            described.methods["ListRoutes"]?.output
                == fields(of: RoutingList(routings: [Sample.routing]))
        )
        #expect(
            described.methods["RankServers"]?.output
                == fields(of: RankingList(rankings: [Sample.ranking]))
        )
        #expect(described.methods["ListSessions"]?.output == fields(of: Sample.sessions))
        let session = try #require(Sample.sessions.sessions.first)
        #expect(
            described.methods["GetSession"]?.output == fields(of: SessionAnswer(session: session))
        )
        for name in ["KillSession", "Drain", "Resume", "SetServer"] {
            #expect(described.methods[name]?.output == [:])
        }
        for name in ["CheckConfig", "Reload"] {
            #expect(described.methods[name]?.output == fields(of: ChangeList(changes: [])))
        }
        #expect(
            described.methods["GetConfig"]?.output
                == fields(of: EffectiveConfiguration(config: [:], path: nil))
        )
        #expect(described.methods["Monitor"]?.output == fields(of: Sample.event))
        #expect(described.methods["KillSessions"]?.output == fields(of: KillCount(count: 1)))
        #expect(described.methods["GetMetrics"]?.output == fields(of: MetricsText(text: "")))
    }

    @Test("types have the declared fields and kinds")
    func describesTypes() throws {
        let listener = try #require(Sample.status.listeners.first)
        let upstream = try #require(Sample.status.upstreams.first)
        #expect(
            described.structs == [
                "Status": fields(of: Sample.status),
                "Change": fields(of: Sample.change),
                "Problem": fields(of: Sample.problem),
                "Check": fields(of: try #require(upstream.servers.first?.lastCheck)),
                "Listener": fields(of: listener),
                "ListenAddress": fields(of: try #require(listener.addresses.first)),
                "Upstream": fields(of: upstream),
                "Server": fields(of: try #require(upstream.servers.first)),
                "Ranking": fields(of: Sample.ranking),
                "RankedServer": fields(of: try #require(Sample.ranking.servers.first)),
                "Service": fields(of: try #require(upstream.services?.first)),
                "Routing": fields(of: Sample.routing),
                "Route": fields(of: try #require(Sample.routing.routes.first)),
                "Worker": fields(of: try #require(Sample.status.workers.first)),
                "Totals": fields(of: Sample.status.totals),
                "LastReload": fields(of: try #require(Sample.status.lastReload)),
                "Caller": fields(of: Sample.caller),
                "Session": fields(of: try #require(Sample.sessions.sessions.first)),
            ]
        )
        #expect(
            described.enums == [
                "State": Status.State.allCases.map(\.rawValue),
                "Origin": Status.Listener.Address.Origin.allCases.map(\.rawValue),
                "ListenerState": Status.Listener.State.allCases.map(\.rawValue),
                "ServerState": Status.Server.State.allCases.map(\.rawValue),
                "ServerMode": Status.Server.Mode.allCases.map(\.rawValue),
                "ChangeKind": ConfigurationChange.Kind.allCases.map(\.rawValue),
                "SessionState": Status.Session.State.allCases.map(\.rawValue),
            ]
        )
    }

    @Test("parameters have the declared fields and kinds")
    func describesParameters() {
        for name in ["GetStatus", "ListListeners", "ListUpstreams", "GetMetrics", "GetConfig"] {
            #expect(described.methods[name]?.input == [:])
        }
        for name in ["Reload", "Monitor"] { #expect(described.methods[name]?.input == [:]) }
        expectParameters(SessionQuery(), of: "ListSessions")
        expectParameters(RankingRequest(key: ""), of: "RankServers")
        expectParameters(SessionID(id: 1), of: "GetSession")
        expectParameters(SessionID(id: 1), of: "KillSession")
        expectParameters(KillRequest(SessionQuery()), of: "KillSessions")
        expectParameters(DrainRequest(), of: "Drain")
        expectParameters(ResumeRequest(), of: "Resume")
        expectParameters(ServerSetting(upstream: "", server: ""), of: "SetServer")
        expectParameters(ConfigurationText(text: ""), of: "CheckConfig")
    }

    private func expectParameters<Parameters: CallParameters>(
        _ parameters: Parameters,
        of method: String
    ) {
        let fields = fields(of: parameters)
        #expect(described.methods[method]?.input == fields)
        #expect(Set(Parameters.CodingKeys.allCases.map(\.stringValue)) == Set(fields.keys))
    }

    @Test("errors have the declared fields")
    func describesErrors() {
        #expect(
            described.errors == [
                "Busy": [:], "AnswerTooLong": [:],
                "ListenerNotFound": ["listener": .string],
                "UpstreamNotFound": ["upstream": .string],
                "ServerNotFound": ["upstream": .string, "server": .string],
                "SessionNotFound": ["id": .int],
                "ConfigurationInvalid": [
                    "problems": .array(.named("Problem")), "omitted": .nullable(.int),
                ],
                "ReloadFailed": [
                    "problems": .array(.named("Problem")), "omitted": .nullable(.int),
                ],
            ]
        )
        #expect(VarlinkError.listenerNotFound("web").parameters == ["listener": .string("web")])
        #expect(VarlinkError.upstreamNotFound("app").parameters == ["upstream": .string("app")])
        #expect(
            VarlinkError.serverNotFound("[::1]:80", of: "app").parameters
                == ["upstream": .string("app"), "server": .string("[::1]:80")]
        )
        #expect(VarlinkError.sessionNotFound(7).parameters == ["id": 7])
    }

    @Test("problems survive conversion to an error and back, with and without a position")
    func carriesProblems() {
        var other = Sample.problem
        other.line = nil
        other.column = nil
        #expect(
            VarlinkError.configurationInvalid([Sample.problem, other]).problems
                == [Sample.problem, other]
        )
        #expect(VarlinkError.reloadFailed([other]).problems == [other])
        #expect(VarlinkError.busy.problems == nil)
        #expect(VarlinkError.reloadFailed([other]).omittedProblemCount == 0)
        #expect(VarlinkError.reloadFailed([other], omitted: 7).omittedProblemCount == 7)
    }

    @Test("io.systemd.service matches systemd's definition")
    func describesSystemd() throws {
        let interface = try Interface(description: SystemdInterface.description)
        let described = try InterfaceDescription(SystemdInterface.description)

        #expect(interface.name == SystemdInterface.name)
        #expect(
            Set(interface.methods.map { "\(SystemdInterface.name).\($0)" })
                == Set(SystemdInterface.Method.allCases.map(\.rawValue))
        )
        #expect(
            described.methods["SetLogLevel"]?.input == fields(of: LogLevelSetting(level: 7))
        )
        for name in ["Ping", "Reload"] { #expect(described.methods[name]?.input == [:]) }
    }

    @Test("a status survives encoding and decoding")
    func roundTrips() throws {
        var server = ServerConnection()
        server.receive(upTo: 64) { output in
            for byte in #"{"method":"a.b.C"}"#.utf8 { output.append(byte) }
            output.append(0)
        }
        _ = server.nextCall()
        server.reply(Sample.status)
        var client = ClientConnection()
        _ = server.send { bytes in
            client.receive(upTo: bytes.count) { output in
                for index in bytes.indices { output.append(bytes[index]) }
            }
            return bytes.count
        }
        let reply = try #require(try client.nextReply())

        #expect(try reply.parameters(as: Status.self) == Sample.status)
    }

    @Test("a time share is always a number from 0 to 1 with four decimal places")
    func clampsShare() {
        let shares = [Double.nan, -1, 0.123_456, 2, .infinity].map { share in
            Status.Worker(
                index: 0,
                sessions: 0,
                polls: 0,
                events: 0,
                wakeUps: 0,
                busyShare: share
            ).busyShare
        }

        #expect(shares == [0, 0, 0.1235, 1, 1])
    }
}
