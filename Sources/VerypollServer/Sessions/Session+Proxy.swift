internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

extension Session {
    /// Moves bytes each way, passes each end of file on, and ends when both have arrived.
    ///
    /// Where one connection fails, what it brought before is still given to the other, and then the
    /// other is broken as well.
    mutating func proxy(in context: inout ServeContext) -> Step {
        // Both, whatever became of the first: the second may free what the first waits for.
        var flow = Channel.Flow.idle
        do throws(Errno) { flow = try pumpUp(in: &context) } catch { note(error, in: &context) }
        do throws(Errno) {
            flow = max(flow, try toClient.pump(from: &proxyState.server, to: &client, in: &context))
        } catch {
            note(error, in: &context)
        }
        if proxyState.connector.phase == .connecting, hasReachedServer {
            proxyState.connector.succeed()
        }
        let isBroken = client.flags.union(proxyState.server.flags).contains(.failed)
        if isBroken, let reason = breakReason(in: &context) {
            let isUnsent = client.hasUnsent || proxyState.server.hasUnsent
            return isUnsent ? .linger : .end(reason)
        }
        // One way may stream without a rest, and is not to hold the other's end up.
        let step = passEnds()
        return switch flow {
        case .starved where step == .wait: .starved
        case .again where step == .wait: .again
        default: step
        }
    }

    /// Whether the server has shown that it is there: it took bytes, sent some, or has ended.
    private var hasReachedServer: Bool {
        toServer.given > 0 || toClient.taken > 0
            || proxyState.server.flags.intersection([.inputEnded, .failed]) == .inputEnded
    }

    /// Notes that the client has broken the connection while nobody reads from it: there is no
    /// server yet, or none any more.
    mutating func loseClient() {
        if proxyState.connector.isSearching || proxyState.connector.phase == .breaking {
            client.failInput()
        }
    }

    /// Notes that the server has broken the connection while nobody reads from it.
    mutating func loseServer() {
        if proxyState.connector.phase == .breaking { proxyState.server.failInput() }
    }

    /// Notes that the server has broken the connection as soon as it was made.
    mutating func breakServer() {
        proxyState.server.failOutput()
        proxyState.brokenBy = Errno.connectionReset.rawValue
    }

    /// Whether there is anything to send to a server as soon as it is connected.
    var hasWorkForServer: Bool {
        client.flags.contains(.inputReady) || proxyState.owedHeader != .off || !toServer.isEmpty
    }

    /// Moves bytes to the server, after the header that it is owed.
    private mutating func pumpUp(in context: inout ServeContext) throws(Errno) -> Channel.Flow {
        let version = proxyState.owedHeader
        guard version != .off else {
            return try toServer.pump(from: &client, to: &proxyState.server, in: &context)
        }
        guard proxyState.server.flags.contains(.outputReady) else { return .idle }
        guard context.pool.hasRoom else { return .starved }
        proxyState.owedHeader = .off
        let header = outgoingHeader
        context.scratch.append { output in header.write(version, into: &output) }
        if client.flags.contains(.inputReady) { try receive(in: &context) }
        try toServer.forwardScratch(to: &proxyState.server, in: &context)
        return try toServer.pump(from: &client, to: &proxyState.server, in: &context)
    }

    /// Notes why a connection has failed; of the two the first reason counts.
    private mutating func note(_ error: Errno, in context: inout ServeContext) {
        context.scratch.removeAll()
        if proxyState.brokenBy == 0 { proxyState.brokenBy = error.rawValue }
    }

    /// Why the session is over, once what its failed end brought has been given to the other.
    private mutating func breakReason(in context: inout ServeContext) -> EndReason? {
        // Of a connection that had ended both its ways, an event alone has told.
        let error =
            proxyState.brokenBy == 0 ? .connectionReset : Errno(rawValue: proxyState.brokenBy)
        if client.flags.contains(.failed) { toClient.discard(in: &context) }
        // Before it is connected, the next server may get what this one was to have.
        if proxyState.server.flags.contains(.failed), proxyState.connector.phase == .connected {
            toServer.discard(in: &context)
        }
        if client.flags.contains(.failed) {
            let isSpent = !client.flags.contains(.inputReady) && toServer.isEmpty
            guard
                isSpent || proxyState.server.flags.contains(.failed)
                    || proxyState.connector.phase != .connected
            else {
                return nil
            }
            return .failed(error)
        }
        let isSpent = !proxyState.server.flags.contains(.inputReady) && toClient.isEmpty
        return isSpent || proxyState.connector.phase != .connected ? .serverFailed(error) : nil
    }

    /// Passes the end of each way on, unless both ways have ended: then the connections are closed
    /// without further ado.
    private mutating func passEnds() -> Step {
        let isUpOver = client.flags.contains(.inputEnded) && toServer.isEmpty
        let isDownOver = proxyState.server.flags.contains(.inputEnded) && toClient.isEmpty
        if isUpOver, isDownOver { return .end(.completed) }
        do throws(Errno) {
            if isUpOver, proxyState.connector.phase == .connected {
                try proxyState.server.passEnd()
            }
            if isDownOver { try client.passEnd() }
            return .wait
        } catch {
            if proxyState.brokenBy == 0 { proxyState.brokenBy = error.rawValue }
            return .again
        }
    }
}

extension Endpoint {
    /// Whether a reset would drop bytes that the peer could still receive.
    ///
    /// The kernel keeps counting the bytes that it dropped when the connection died.
    fileprivate var hasUnsent: Bool {
        flags.isDisjoint(with: [.failed, .isDead]) && flags.contains(.hasSent)
            && socket.unsentByteCount > 0
    }

    /// Ends the way to the peer, unless it has ended already.
    fileprivate mutating func passEnd() throws(Errno) {
        if !flags.contains(.outputEnded) { try endOutput() }
    }
}
