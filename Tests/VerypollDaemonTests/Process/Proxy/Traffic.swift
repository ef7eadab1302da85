internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// Clients of ``LineServer``s that come at about 200 requests a second: three in four with a
/// connection of their own, the others on connections that are kept.
///
/// What happens is told by periods, which a test begins: a request belongs to the one in which its
/// connection was begun.
final class Traffic: Sendable {
    /// A request that was not answered.
    struct Failure: Sendable, CustomStringConvertible {
        /// The period in which the connection was begun.
        var period: Int
        /// The server that the connection was on, where that is known.
        var server: String?
        /// Whether the connection was made for this request alone.
        var isFresh: Bool
        var error: Errno

        var description: String {
            "\(error) of \(isFresh ? "a new" : "a kept") connection of period \(period)"
                + (server.map { " on \($0)" } ?? "")
        }
    }

    /// What has happened since a period began.
    struct Tally: Sendable {
        /// The requests that were answered on a connection of their own, by server.
        var fresh: [String: Int] = [:]
        /// Those on kept connections, whenever these were begun.
        var kept: [String: Int] = [:]

        var total: Int { fresh.values.reduce(0, +) + kept.values.reduce(0, +) }

        /// What a server has answered on connections of either kind.
        func answers(of server: String) -> Int {
            fresh[server, default: 0] + kept[server, default: 0]
        }
    }

    static let freshThreadCount = 3
    static let keptCount = 12
    /// Between two requests of a thread, in milliseconds; it is what makes the rate.
    private static let cpuBudget = 20

    private struct State: Sendable {
        var period = 0
        var isOver = false
        var tallies = [Tally()]
        var failures: [Failure] = []
        /// The servers that the kept connections are on.
        var keptServers = [String?](repeating: nil, count: Traffic.keptCount)
    }

    private let connect: @Sendable () throws(Errno) -> Client
    private let state = Mutex(State())

    /// Makes traffic that has not begun.
    ///
    /// - Parameter connect: Connects to the daemon.
    init(_ connect: @escaping @Sendable () throws(Errno) -> Client) {
        self.connect = connect
    }

    /// Lets the clients come while `body` runs, and waits until the last has gone.
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

    /// What was not answered so far.
    var failures: [Failure] { state.withLock { $0.failures } }

    /// The server that each of the kept connections is on.
    var keptServers: [String?] { state.withLock { $0.keptServers } }

    /// What has happened in this period.
    var tally: Tally { state.withLock { $0.tallies[$0.period] } }

    /// Waits until something has happened in this period.
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
