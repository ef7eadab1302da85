internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Clients of ``LineServer``s that make about 200 requests a second: three in four on a new
/// connection, the others on kept connections.
///
/// Results are grouped by periods that the test begins: a request belongs to the period in which
/// its connection was opened.
final class Traffic: Sendable {
    /// A request that was not answered.
    struct Failure: Sendable, CustomStringConvertible {
        /// The period in which the connection was opened.
        var period: Int
        /// The connection's server, if known.
        var server: String?
        /// Whether the connection was opened for this request only.
        var isFresh: Bool
        var error: Errno

        var description: String {
            "\(error) of \(isFresh ? "a new" : "a kept") connection of period \(period)"
                + (server.map { " on \($0)" } ?? "")
        }
    }

    /// The results of one period.
    struct Tally: Sendable {
        /// The requests answered on new connections, by server.
        var fresh: [String: Int] = [:]
        /// The requests answered on kept connections, opened in any period.
        var kept: [String: Int] = [:]

        var total: Int { fresh.values.reduce(0, +) + kept.values.reduce(0, +) }

        /// Returns the number of a server's answers on both kinds of connections.
        func answers(of server: String) -> Int {
            fresh[server, default: 0] + kept[server, default: 0]
        }
    }

    static let freshThreadCount = 3
    static let keptCount = 12
    /// The pause between two requests of a thread, in milliseconds; it determines the rate.
    private static let cpuBudget = 20

    private struct State: Sendable {
        var period = 0
        var isOver = false
        var tallies = [Tally()]
        var failures: [Failure] = []
        /// The servers of the kept connections.
        var keptServers = [String?](repeating: nil, count: Traffic.keptCount)
    }

    private let connect: @Sendable () throws(Errno) -> Client
    private let state = Mutex(State())

    /// Makes traffic, which is not yet started.
    ///
    /// - Parameter connect: Connects to the daemon.
    init(_ connect: @escaping @Sendable () throws(Errno) -> Client) {
        self.connect = connect
    }

    /// Runs the clients while `body` runs, and waits until the last one has stopped.
    func run(_ body: () throws -> Void) throws {
        var threads = (0..<Self.freshThreadCount).map { _ in
            ConcurrentWork { [self] in
                while !isOver { askOnce() }
            }
        }
        threads.append(ConcurrentWork { [self] in keepAsking() })
        let outcome = Result { try body() }
        state.withLock { $0.isOver = true }
        for thread in threads { try thread.join() }
        try outcome.get()
    }

    /// Begins the next period.
    func beginPeriod() {
        state.withLock { state in
            state.period += 1
            state.tallies.append(Tally())
        }
    }

    /// The requests that were not answered so far.
    var failures: [Failure] { state.withLock { $0.failures } }

    /// The server of each of the kept connections.
    var keptServers: [String?] { state.withLock { $0.keptServers } }

    /// The results of the current period.
    var tally: Tally { state.withLock { $0.tallies[$0.period] } }

    /// Waits until the results of the current period satisfy a condition.
    func wait(_ what: String, until condition: (Tally) -> Bool) throws {
        do { try eventually(what) { condition(tally) } } catch let error as TimedOut {
            let detail = "\(tally), failures: \(failures)"
            throw TimedOut(waitingFor: what, detail: "\(error)\n\(detail)")
        }
    }

    private var isOver: Bool { state.withLock { $0.isOver } }
    private var period: Int { state.withLock { $0.period } }

    private func askOnce() {
        let period = period
        do throws(Errno) {
            let server = try askFresh()
            state.withLock { $0.tallies[period].fresh[server, default: 0] += 1 }
        } catch {
            fail(Failure(period: period, server: nil, isFresh: true, error: error))
        }
        pause(milliseconds: Self.cpuBudget)
    }

    private func askFresh() throws(Errno) -> String {
        let client = try connect()
        return try client.ask()
    }

    private func keepAsking() {
        var kept = [(held: Held, period: Int)?](repeating: nil, count: Self.keptCount)
        var index = 0
        while !isOver {
            let present = period
            let began = kept[index]?.period ?? present
            do throws(Errno) {
                if kept[index] == nil { kept[index] = (Held(try connect()), present) }
                if let server = try kept[index]?.held.client.ask() {
                    state.withLock { state in
                        state.keptServers[index] = server
                        state.tallies[present].kept[server, default: 0] += 1
                    }
                }
            } catch {
                kept[index] = nil
                let server = state.withLock { state in
                    defer { state.keptServers[index] = nil }
                    return state.keptServers[index]
                }
                fail(Failure(period: began, server: server, isFresh: false, error: error))
            }
            index = (index + 1) % Self.keptCount
            pause(milliseconds: Self.cpuBudget)
        }
    }

    private func fail(_ failure: Failure) {
        state.withLock { $0.failures.append(failure) }
    }
}
