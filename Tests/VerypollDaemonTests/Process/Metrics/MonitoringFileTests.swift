import TestSupport
import Testing

/// The scripts in monitoring, each with a daemon and a Prometheus server of its own.
@Suite("monitoring")
struct MonitoringFileTests {
    private func run(_ script: String, _ arguments: [String] = []) throws {
        let directory = try Prometheus.path(of: "prometheus").split(separator: "/").dropLast()
        let result = try Program.run(
            "\(Repository.path)/monitoring/\(script)",
            arguments,
            environment: [
                "PROMETHEUS_DIRECTORY": "/" + directory.joined(separator: "/"),
                "PYTHONDONTWRITEBYTECODE": "1",
            ],
            // The scripts have bounds of their own for each of their waits.
            within: .seconds(400)
        )
        #expect(result.exit == .code(0), "\(result.standardOutput)\(result.standardError)")
    }

    @Test("the alert rules are valid, documented, and pass their unit tests")
    func checksAlerts() throws {
        try run("check")
    }

    @Test("the dashboard is the one that its description makes")
    func checksDashboard() throws {
        try run("make-dashboard")
    }

    @Test("each query of the dashboard returns data of a daemon under load")
    func triesDashboard() throws {
        try run("try-dashboard", [Program.path(of: "verypolld")])
    }

    @Test("alerts fire in an outage of servers and after a refused reload, and clear afterwards")
    func triesOutage() throws {
        try run("try-outage", [Program.path(of: "verypolld")])
    }
}
