import DaemonTestSupport
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// A discovery of the upstream `app`, and the time.
struct DiscoveryFixture {
    typealias Result = Swift.Result<ServiceAnswer, NameLookupFailure>

    static let start = ContinuousClock.now

    let configuration: Configuration
    var discovery: Discovery
    var now = start

    init(
        _ servers: String = #"{"srv": "_app._tcp.example"}"#,
        keys: String = "",
        restored: [String: [ServerAddress]] = [:]
    ) throws {
        configuration = try Self.configuration(servers, keys: keys)
        discovery = Discovery(configuration, restored: restored, now: now)
    }

    static func configuration(_ servers: String, keys: String = "") throws -> Configuration {
        try Configuration.test(
            listeners: #""echo": {"listen": ["127.0.0.1:0"], "handler": {"type": "echo"}}"#,
            upstreams: #""app": {"servers": [\#(servers)]\#(keys)}"#
        )
    }

    /// Answers the one question that is due.
    mutating func answer(_ result: Result) -> String? {
        guard let question = discovery.takeQuestion(now: now) else { return "no question" }
        return discovery.note(result, to: question, now: now).map { "\($0.level) \($0.message)" }
    }

    /// The time until the next question.
    var delay: Duration? { discovery.deadline.map { $0 - now } }

    /// Moves the clock to the next question.
    mutating func advance() { now = discovery.deadline ?? now }

    var upstream: UpstreamConfiguration { discovery.effective(configuration).upstreams[0] }

    var servers: [String] { upstream.servers.map(\.address.description) }
}

extension Result<ServiceAnswer, NameLookupFailure> {
    static func records(_ records: ServiceRecord..., lasting seconds: Int = 30) -> Self {
        .success(ServiceAnswer(records: records, timeToLive: .seconds(seconds)))
    }

    static var notOffered: Self {
        .success(ServiceAnswer(records: [], timeToLive: .seconds(30), isNotOffered: true))
    }

    static func failing(_ reason: String) -> Self { .failure(NameLookupFailure(reason: reason)) }
}

extension ServiceRecord {
    /// Makes a record of `10.0.0.HOST:80`, without an address if `isFound` is false.
    static func test(
        _ host: UInt32,
        priority: UInt16 = 0,
        weight: UInt16 = 1,
        isFound: Bool = true
    ) -> ServiceRecord {
        ServiceRecord(
            priority: priority,
            weight: weight,
            port: 80,
            target: "host\(host).example",
            addresses: isFound ? [IPAddress(v4: 0x0A00_0000 + host)] : []
        )
    }
}
