#if Net && OSExt
internal import SystemPackage
internal import Verypoll

extension Session {
    /// Moves bytes each way, passes each end of file on, and ends when both have arrived.
    ///
    /// Where one connection fails, what it brought before is still given to the other, and then the
    /// other is broken as well.
    mutating func proxy(on bench: inout Workbench) -> Step {
        var isAgain = false
        do throws(Errno) {
            let flow = try pumpUp(on: &bench)
            if flow == .starved { return .starved }
            isAgain = flow == .again
        } catch {
            note(error, on: &bench)
        }
        if route.phase == .connecting, up.given > 0 || down.taken > 0 { route.phase = .connected }
        do throws(Errno) {
            let flow = try down.pump(from: &server, to: &client, on: &bench)
            if flow == .starved { return .starved }
            isAgain = isAgain || flow == .again
        } catch {
            note(error, on: &bench)
        }
        if brokenBy != 0, let reason = breakReason {
            let isUnsent = client.hasUnsent || server.hasUnsent
            return isUnsent && bench.now < route.endsAt ? .linger : .end(reason)
        }
        return isAgain ? .again : passEnds()
    }

    /// Notes that the client has broken the connection before there is one to a server, so that
    /// nobody reads of it.
    mutating func loseClient() {
        guard route.phase == .held || route.phase == .connecting else { return }
        client.failInput()
        if brokenBy == 0 { brokenBy = Errno.connectionReset.rawValue }
    }

    /// Moves bytes to the server, after the header that it is owed.
    private mutating func pumpUp(on bench: inout Workbench) throws(Errno) -> Way.Flow {
        let version = route.owedHeader
        guard version != .off else { return try up.pump(from: &client, to: &server, on: &bench) }
        guard server.flags.contains(.outputReady) else { return .idle }
        guard bench.pool.hasRoom else { return .starved }
        route.owedHeader = .off
        let header = outgoingHeader
        bench.scratch.append { output in header.write(version, into: &output) }
        if client.flags.contains(.inputReady) { try receive(on: &bench) }
        try up.forwardScratch(to: &server, on: &bench)
        return try up.pump(from: &client, to: &server, on: &bench)
    }

    /// Notes why a connection has failed; of the two the first reason counts.
    private mutating func note(_ error: Errno, on bench: inout Workbench) {
        bench.scratch.removeAll()
        if brokenBy == 0 { brokenBy = error.rawValue }
    }

    /// Why the session is over, once what its failed end brought has been given to the other.
    private var breakReason: EndReason? {
        let error = Errno(rawValue: brokenBy)
        if client.flags.contains(.failed) {
            let isSpent = !client.flags.contains(.inputReady) && up.isEmpty
            guard isSpent || server.flags.contains(.failed) || route.phase != .connected else {
                return nil
            }
            return .failed(error)
        }
        let isSpent = !server.flags.contains(.inputReady) && down.isEmpty
        return isSpent || route.phase != .connected ? .serverFailed(error) : nil
    }

    /// Passes the end of each way on, at the end of the turn: where the other way's end comes with
    /// the same events, the connections are closed without further ado.
    private mutating func passEnds() -> Step {
        let isUpOver = client.flags.contains(.inputEnded) && up.isEmpty
        let isDownOver = server.flags.contains(.inputEnded) && down.isEmpty
        if isUpOver, isDownOver { return .end(.completed) }
        do throws(Errno) {
            var isOwed = false
            if isUpOver, route.phase == .connected { isOwed = try server.passEnd() }
            if isDownOver { isOwed = try client.passEnd() || isOwed }
            return isOwed ? .again : .wait
        } catch {
            if brokenBy == 0 { brokenBy = error.rawValue }
            return .again
        }
    }
}

extension Endpoint {
    /// Whether a reset would drop bytes.
    fileprivate var hasUnsent: Bool {
        !flags.contains(.failed) && flags.contains(.hasSent) && socket.unsentByteCount > 0
    }

    /// Ends the way to the peer the second time that this is called.
    ///
    /// - Returns: Whether it is still owed.
    fileprivate mutating func passEnd() throws(Errno) -> Bool {
        guard !flags.contains(.outputEnded) else { return false }
        guard flags.contains(.endOwed) else {
            flags.insert(.endOwed)
            return true
        }
        try endOutput()
        return false
    }
}
#endif
