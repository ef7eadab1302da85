internal import VerypollServer

/// The news about servers that the workers are to get.
///
/// All news of a turn are three messages at most, so that an outage of thousands of servers does
/// not fill the mailboxes of the workers.
struct UpstreamNews: Equatable {
    private(set) var down: Set<ServerIndex> = []
    private(set) var up: Set<ServerIndex> = []
    /// Whether sessions that wait for a server may get another answer now.
    var haveChanged = false

    /// Notes whether a server is down, by all its indices.
    mutating func note(_ indices: Set<ServerIndex>, areDown: Bool) {
        if areDown {
            down.formUnion(indices)
            up.subtract(indices)
        } else {
            up.formUnion(indices)
            down.subtract(indices)
        }
    }

    /// The messages to send to every worker.
    var messages: [WorkerMessage] {
        var messages: [WorkerMessage] = []
        if !down.isEmpty { messages.append(.serversDown(down)) }
        if !up.isEmpty { messages.append(.serversUp(up)) }
        if haveChanged { messages.append(.serversChanged) }
        return messages
    }
}
