internal import Varlink
internal import VerypollControl

/// The calls that close sessions, until all workers have done so.
///
/// Such a call does not expire: its sessions end even if a worker is late, and the log names the
/// caller then.
struct PendingKills {
    /// The most calls that may wait at the same time.
    static let limit = 64

    /// A call that closes sessions.
    struct Kill {
        let callID: CallID
        let caller: Caller
        /// The number of the only session; `nil` if the call has criteria.
        let session: Int?
        /// The criteria; empty if the call closes all sessions.
        var criteria = SessionQuery()
        /// The number of workers that have not reported yet.
        fileprivate(set) var missing: Int
        /// The number of closed sessions.
        fileprivate(set) var count = 0
    }

    private var kills: [Int: Kill] = [:]
    private var lastNumber = 0

    /// Notes that a worker is asked to close a session.
    ///
    /// - Returns: The number that the worker's report carries.
    /// - Throws: ``VarlinkError/busy`` if too many calls wait.
    mutating func add(
        _ session: Int,
        for callID: CallID,
        by caller: Caller
    ) throws(VarlinkError) -> Int {
        try add(Kill(callID: callID, caller: caller, session: session, missing: 1))
    }

    /// Notes that `workers` workers are asked to close the sessions that meet the criteria.
    ///
    /// - Returns: The number that the workers' reports carry.
    /// - Throws: ``VarlinkError/busy`` if too many calls wait.
    mutating func add(
        _ criteria: SessionQuery,
        for callID: CallID,
        by caller: Caller,
        workers: Int
    ) throws(VarlinkError) -> Int {
        try add(
            Kill(
                callID: callID,
                caller: caller,
                session: nil,
                criteria: criteria,
                missing: workers
            )
        )
    }

    private mutating func add(_ kill: Kill) throws(VarlinkError) -> Int {
        guard kills.count < Self.limit else { throw .busy }
        lastNumber += 1
        kills[lastNumber] = kill
        return lastNumber
    }

    /// Notes that some workers of a call could not be asked, so that no report of theirs follows.
    ///
    /// - Parameters:
    ///   - count: The number of these workers.
    ///   - number: The number of the call.
    /// - Throws: ``VarlinkError/busy`` if none could be asked; the call no longer waits then.
    mutating func noteUnasked(_ count: Int, of number: Int) throws(VarlinkError) {
        for _ in 0..<count where note(0, of: number) != nil { throw .busy }
    }

    /// Notes how many sessions a worker has closed.
    ///
    /// - Returns: The call, once all workers have reported.
    mutating func note(_ count: Int, of number: Int) -> Kill? {
        guard var kill = kills[number] else { return nil }
        kill.count += count
        kill.missing -= 1
        kills[number] = kill.missing == 0 ? nil : kill
        return kill.missing == 0 ? kill : nil
    }
}

extension SessionQuery {
    /// The criteria in words, for the log: `listener web, peer 10.0.0.0/8`.
    var text: String {
        let words = [
            ("listener", listener), ("upstream", upstream), ("server", server), ("peer", peer),
            ("server name", serverName),
        ]
        return words.compactMap { name, value in value.map { "\(name) \($0)" } }
            .joined(separator: ", ")
    }
}
