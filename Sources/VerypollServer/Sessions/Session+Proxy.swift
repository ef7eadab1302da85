internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

extension Session {
    /// Moves bytes in both directions, passes each end of file on, and ends after both.
    ///
    /// If one connection fails, the bytes that it delivered before are still sent to the other
    /// side, and then the other connection is reset as well.
    mutating func proxy(in context: inout ServeContext) -> Step {
        // Pump both directions, even if the first fails: the second may free a buffer for the
        // first.
        var flow = Channel.Flow.idle
        do throws(Errno) {
            if proxyState.request == .unanswered, let reason = try readAnswer(in: &context) {
                return .end(reason)
            }
            flow = try pumpToServer(in: &context)
        } catch {
            note(error, in: &context)
        }
        do throws(Errno) {
            if proxyState.request == .none {
                let back = try toClient.pump(from: &proxyState.server, to: &client, in: &context)
                flow = max(flow, back)
            }
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
        // Do this in every turn, so that a direction that streams without a pause does not delay
        // the end of the other direction.
        let step = passEnds()
        return switch flow {
        case .starved where step == .wait: .starved
        case .again where step == .wait: .again
        default: step
        }
    }

    /// Whether the server has proven that it accepted the connection, because it read bytes, sent
    /// bytes, or ended its direction.
    private var hasReachedServer: Bool {
        guard proxyState.request == .none else { return false }
        return toServer.given > 0 || toClient.taken > 0
            || proxyState.server.flags.intersection([.inputEnded, .failed]) == .inputEnded
    }

    /// Notes an error of the client's connection while the session does not read from it: no server
    /// is connected yet, or the session is already broken.
    mutating func loseClient() {
        if proxyState.connector.isSearching || proxyState.connector.phase == .breaking {
            client.failInput()
        }
    }

    /// Notes an error of the server's connection while a broken session does not read from it.
    mutating func loseServer() {
        if proxyState.connector.phase == .breaking { proxyState.server.failInput() }
    }

    /// Notes that the server reset the connection immediately after accepting it.
    mutating func breakServer() {
        proxyState.server.failOutput()
        proxyState.brokenBy = Errno.connectionReset.rawValue
    }

    /// Whether there is anything to send to a server as soon as it is connected.
    var hasWorkForServer: Bool {
        client.flags.contains(.inputReady) || proxyState.owedHeader != .off || !toServer.isEmpty
            || proxyState.request == .owed || longHello != nil
    }

    /// Sends the PROXY header if it is still to be sent, then moves bytes to the server.
    private mutating func pumpToServer(
        in context: inout ServeContext
    ) throws(Errno) -> Channel.Flow {
        let version = proxyState.owedHeader
        guard version != .off || proxyState.request != .none || longHello != nil else {
            return try toServer.pump(from: &client, to: &proxyState.server, in: &context)
        }
        guard proxyState.request != .unanswered else {
            _ = try toServer.flush(to: &proxyState.server, in: &context)
            return .idle
        }
        guard proxyState.server.flags.contains(.outputReady) else { return .idle }
        guard context.pool.hasRoom else { return .starved }
        proxyState.owedHeader = .off
        if version != .off { writeHeader(version, in: &context) }
        if proxyState.request == .owed {
            proxyState.request = .unanswered
            context.scratch.append(PostgreSQLOpening.request.span)
            try toServer.forwardScratch(to: &proxyState.server, in: &context)
            return .idle
        }
        if let long = longHello.take() {
            context.scratch.append(long.bytes.span)
        } else if client.flags.contains(.inputReady) {
            try receive(in: &context)
        }
        try toServer.forwardScratch(to: &proxyState.server, in: &context)
        return try toServer.pump(from: &client, to: &proxyState.server, in: &context)
    }

    private mutating func writeHeader(
        _ version: UpstreamConfiguration.ProxyHeader,
        in context: inout ServeContext
    ) {
        let header = outgoingHeader
        let announced = announced
        context.scratch.append { output in
            header.write(version, announced: announced, into: &output)
        }
    }

    /// Reads the answer to the request for TLS, which is one byte.
    ///
    /// - Returns: The reason that the session ends; `nil` if the request was granted, or if no
    ///   answer has arrived yet.
    private mutating func readAnswer(in context: inout ServeContext) throws(Errno) -> EndReason? {
        guard proxyState.server.flags.contains(.inputReady) else { return nil }
        defer { context.scratch.removeAll() }
        do throws(Errno) {
            // Exactly one byte: the bytes after it belong to TLS.
            let count = try context.scratch.append(atMost: 1) { output throws(Errno) in
                try proxyState.server.socket.read(into: &output)
            }
            guard let count else {
                proxyState.server.flags.remove(.inputReady)
                return nil
            }
            guard count == 1 else { throw .connectionReset }
        } catch {
            proxyState.server.failInput()
            throw error
        }
        switch context.scratch.withBytes({ $0[0] }) {
        case PostgreSQLOpening.granted:
            proxyState.request = .none
            proxyState.connector.succeed()
            return nil
        case PostgreSQLOpening.refused: return .serverHasNoTLS
        default: return .invalidAnswer
        }
    }

    /// Notes the error that broke a connection; only the first error of a session is kept.
    private mutating func note(_ error: Errno, in context: inout ServeContext) {
        context.scratch.removeAll()
        if proxyState.brokenBy == 0 { proxyState.brokenBy = error.rawValue }
    }

    /// Returns why the broken session ends; `nil` while bytes of the failed side are still to be
    /// sent.
    private mutating func breakReason(in context: inout ServeContext) -> EndReason? {
        // If no system call has failed, only an event reported the error; it counts as a reset.
        let error =
            proxyState.brokenBy == 0 ? .connectionReset : Errno(rawValue: proxyState.brokenBy)
        if client.flags.contains(.failed) { toClient.releaseBuffers(in: &context) }
        // Before the connection is made, the bytes are kept: the next server that is tried gets
        // them.
        if proxyState.server.flags.contains(.failed), proxyState.connector.phase == .connected {
            toServer.releaseBuffers(in: &context)
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

    /// Passes each end of file on.
    ///
    /// If both directions have ended, the session ends instead: closing the connections sends both
    /// ends of file.
    private mutating func passEnds() -> Step {
        let isClientDone = client.flags.contains(.inputEnded) && toServer.isEmpty
        let isServerDone = proxyState.server.flags.contains(.inputEnded) && toClient.isEmpty
        if isClientDone, isServerDone { return .end(.completed) }
        do throws(Errno) {
            if isClientDone, proxyState.connector.phase == .connected {
                try proxyState.server.passEnd()
            }
            if isServerDone { try client.passEnd() }
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
    /// This is `false` for a dead connection, for which the kernel still counts the bytes that it
    /// dropped.
    fileprivate var hasUnsent: Bool {
        flags.isDisjoint(with: [.failed, .isDead]) && flags.contains(.hasSent)
            && socket.unsentByteCount > 0
    }

    /// Sends the end of file to the peer, unless it was sent already.
    fileprivate mutating func passEnd() throws(Errno) {
        if !flags.contains(.outputEnded) { try endOutput() }
    }
}
