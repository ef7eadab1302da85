internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Limits")
struct LimitsTests {
    private let text = "{\"workers\": 2, \(listener().dropFirst())"

    private func budget(_ text: String, _ descriptorLimit: Int) throws -> Int {
        let configuration = try configuration(text)
        return Configuration.Limits.sessionBudget(
            descriptorLimit: descriptorLimit,
            workers: configuration.workers,
            listeners: configuration.listeners,
            upstreams: configuration.upstreams
        )
    }

    @Test("the budget is the number of descriptors left for sessions")
    func budget() throws {
        #expect(try budget(text, 64) == 64 - 3 - 8 - 2 * 2 - 1 - 8)
        #expect(try budget(text, 1024) == 1024 - 3 - 8 - 2 * 2 - 1 - 64)
        #expect(try budget(text, 10) == 0)
    }

    @Test("with reusePort, each worker has a socket for each address")
    func reusePort() throws {
        let keys = listener("\"socket\": {\"reusePort\": true}", listen: "[::1]:80\", \"[::1]:81")
        let text = "{\"workers\": 5, \(keys.dropFirst())"
        #expect(try budget(text, 1024) == 1024 - 3 - 8 - 2 * 5 - 2 * 5 - 64)
    }

    @Test("a proxied session costs two descriptors, and so does each of the workers' pipes")
    func proxies() throws {
        let text = "{\"workers\": 2, \(proxy("\"servers\": [\"10.0.0.1:80\"]").dropFirst())"
        #expect(try budget(text, 1024) == (1024 - 3 - 8 - 2 * 2 - 1 - 2 * 2 * 32 - 64) / 2)
        #expect(try budget(text, 1 << 20) == (1 << 20 - 3 - 8 - 2 * 2 - 1 - 2 * 2 * 64 - 64) / 2)
    }

    @Test("a checked server costs one descriptor, and name lookups cost eight in total")
    func probesAndNames() throws {
        let plain = try budget(proxy("\"servers\": [\"10.0.0.1:80\", \"unix:/a\"]"), 1 << 12)
        let probed = try budget(
            proxy("\"servers\": [\"10.0.0.1:80\", \"unix:/a\"], \"check\": {}"),
            1 << 12
        )
        let named = try budget(proxy("\"servers\": [\"a.example:80\", \"b:80\"]"), 1 << 12)
        #expect(probed == plain - 2 / 2)
        #expect(named == plain - 8 / 2)
        let found = try budget(
            proxy("\"servers\": [\"a:80\", {\"srv\": \"a.example\"}], \"check\": {}"),
            1 << 12
        )
        #expect(found == plain - (64 + 8 + 8) / 2)
    }

    @Test("workers get 64 pipes each, an eighth of the descriptors in all; none without a proxy")
    func pipes() throws {
        func pipes(_ text: String, _ descriptorLimit: Int, workers: Int) throws -> Int {
            Configuration.Limits.pipesPerWorker(
                descriptorLimit: descriptorLimit,
                workers: workers,
                listeners: try configuration(text).listeners
            )
        }
        let text = proxy("\"servers\": [\"10.0.0.1:80\"]")
        #expect(try pipes(text, 1 << 20, workers: 1) == 64)
        #expect(try pipes(text, 1 << 20, workers: 1024) == 64)
        #expect(try pipes(text, 1024, workers: 1) == 64)
        #expect(try pipes(text, 1023, workers: 1) == 63)
        #expect(try pipes(text, 1024, workers: 3) == 21)
        #expect(try pipes(text, 64, workers: 16) == 0)
        #expect(try pipes(self.text, 1 << 20, workers: 1) == 0)
    }

    /// Returns a configuration with one listener, a proxy for an upstream with these keys.
    private func proxy(_ keys: String) -> String {
        """
        {"listeners": {"web": {"listen": ["127.0.0.1:80"],
        "handler": {"type": "proxy", "upstream": "app"}}}, "upstreams": {"app": {\(keys)}}}
        """
    }

    @Test("the default limit is the budget, but at most 100000")
    func defaultLimit() throws {
        #expect(try configuration(text, descriptorLimit: 1024).limits.maxSessions == 944)
        #expect(try configuration(text, descriptorLimit: 1 << 20).limits.maxSessions == 100_000)
    }

    @Test("a session limit above the available descriptors is rejected with a remedy")
    func refuses() {
        let limits = "{\"limits\": {\"maxSessions\": 945}, \(text.dropFirst())"
        #expect(
            complaints(about: limits, descriptorLimit: 1024) == [
                "/limits/maxSessions: the limit of 1024 file descriptors allows 944 sessions, not"
                    + " 945; raise it with LimitNOFILE= in the unit or with ulimit -n, or lower this"
                    + " value"
            ]
        )
        #expect(complaints(about: limits, descriptorLimit: 1025).isEmpty)
        let listeners = "{\"workers\": 2, \(listener("\"maxSessions\": 945").dropFirst())"
        #expect(
            complaints(about: listeners, descriptorLimit: 1024) == [
                "/listeners/web/maxSessions: the limit of 1024 file descriptors allows 944"
                    + " sessions, not 945; raise it with LimitNOFILE= in the unit or with ulimit -n,"
                    + " or lower this value"
            ]
        )
    }

    @Test("a descriptor limit that leaves nothing for sessions is rejected")
    func refusesNone() {
        #expect(
            problems(in: text, descriptorLimit: 16) == [
                "1:1: /limits/maxSessions: the limit of 16 file descriptors leaves none for sessions;"
                    + " raise it with LimitNOFILE= in the unit or with ulimit -n"
            ]
        )
    }

    @Test("a listener's session limit can't exceed the daemon's")
    func listenerLimit() {
        let text =
            "{\"limits\": {\"maxSessions\": 10}, \(listener("\"maxSessions\": 11").dropFirst())"
        #expect(
            complaints(about: text) == [
                "/listeners/web/maxSessions: the daemon's limit is 10 sessions, not 11; raise"
                    + " /limits/maxSessions, or lower this value"
            ]
        )
    }
}
