internal import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

// The beginning of a session whose listener chooses the upstream by the client's first bytes.
//
// The bytes are peeked at and left in the kernel's buffer, so that a client that sends half a
// ClientHello occupies no buffer here. Once its route is known, the session is an ordinary one, and
// has cost one more system call. Only a ClientHello that may not fit into the kernel's buffer is
// read and kept (`LongHello`).

extension Session {
    /// The step of an inspection: the bytes that are inspected next.
    enum Inspection: UInt8 {
        /// Nothing: the session is routed, or its listener has no inspection.
        case none = 0
        /// The ClientHello.
        case tls = 1
        /// A PostgreSQL client's first message.
        case postgresql = 2
        /// A PostgreSQL client's first message after GSSAPI was refused.
        case postgresqlWithoutGSS = 3
        /// The ClientHello of a PostgreSQL client whose request for TLS was granted.
        case postgresqlTLS = 4
        /// Nothing more: the client was sent the alert that no route matches it, and must close.
        case refused = 5
        /// Nothing more: the client did not begin with TLS, and must close.
        case refusedPlain = 6

        /// The first step.
        init(_ router: Router?) {
            switch router?.inspection {
            case .tls: self = .tls
            case .postgresql: self = .postgresql
            case .off, nil: self = .none
            }
        }

        /// Whether a session can be at this point under another configuration.
        func isPossible(with router: Router?) -> Bool {
            switch self {
            case .none: true
            case .tls: router?.inspection == .tls
            case .postgresql, .postgresqlWithoutGSS, .postgresqlTLS:
                router?.inspection == .postgresql
            case .refused, .refusedPlain: router != nil
            }
        }

        /// The reason that a refused session ends.
        var refusal: EndReason? {
            switch self {
            case .refused: .noRoute
            case .refusedPlain: .notTLS
            default: nil
            }
        }
    }

    /// The result of inspecting a client's first bytes.
    enum InspectStep {
        case incomplete
        /// The calls of this turn are used up, and there is more to read.
        case again
        /// The session goes to the upstream in this slot.
        case route(upstream: Int, InspectionOutcome)
        /// There is no upstream for the client, which must close now.
        case refused(InspectionOutcome)
        case end(EndReason)
    }

    /// The fatal alert `unrecognized_name`; RFC 6066, 3, and RFC 8446, 6.
    private static let unrecognizedName: [7 of UInt8] = [21, 3, 3, 0, 2, 2, 112]

    /// Inspects the bytes that have arrived, and decides where the session goes.
    mutating func inspect(_ router: Router, in context: inout ServeContext) -> InspectStep {
        guard client.flags.contains(.inputReady) else { return .incomplete }
        defer { context.scratch.removeAll() }
        do throws(Errno) {
            if let reason = inspection.refusal { return try awaitEnd(reason, in: &context) }
            if let longHello { return try readLongHello(longHello, router, in: &context) }
            while true {
                guard let count = try peek(in: &context) else {
                    client.flags.remove(.inputReady)
                    return .incomplete
                }
                // A connection without any bytes, such as a load balancer's check that the port is
                // open.
                if count == 0 { return .end(.completed) }
                switch try inspectPeeked(router, in: &context) {
                case let step?: return step
                case nil: context.scratch.removeAll()
                }
            }
        } catch {
            client.failInput()
            return .end(inspection.refusal ?? .failed(error))
        }
    }

    private mutating func peek(in context: inout ServeContext) throws(Errno) -> Int? {
        try context.scratch.append { output throws(Errno) in try client.socket.peek(into: &output) }
    }

    /// Interprets the bytes in the scratch buffer; `nil` if a request was answered, and the bytes
    /// after it are next.
    private mutating func inspectPeeked(
        _ router: Router,
        in context: inout ServeContext
    ) throws(Errno) -> InspectStep? {
        switch inspection {
        case .postgresql, .postgresqlWithoutGSS:
            switch context.scratch.withBytes(PostgreSQLOpening.parse) {
            case .incomplete: return awaitMore()
            case .other: return try routePlain(router)
            case .tls: break
            case .requestForTLS:
                try answer(PostgreSQLOpening.granted, in: &context)
                inspection = .postgresqlTLS
                return nil
            case .requestForGSS:
                guard inspection == .postgresql else { return try routePlain(router) }
                try answer(PostgreSQLOpening.refused, in: &context)
                inspection = .postgresqlWithoutGSS
                return nil
            }
        default: break
        }
        context.hello.removeAll()
        switch Self.read(context.scratch, with: &context.hello) {
        case .incomplete:
            guard context.scratch.count >= LongHello.longestAwaited else { return awaitMore() }
            context.scratch.removeAll()
            let long = LongHello()
            longHello = long
            return try readLongHello(long, router, in: &context)
        case .complete:
            let client = context.inspectedClients.take()
            client.take(context.hello)
            announced = client
            let name = client.serverName
            let match = router.table.match(
                name: name.span,
                protocols: context.hello.protocols.span
            )
            return try route(match, router)
        case .notTLS where inspection == .postgresqlTLS:
            // The request for TLS was granted, so a server for plain clients must not get this.
            return .end(.notTLS)
        case .notTLS: return try routePlain(router)
        case .malformed(let reason): return .end(.malformedHello(reason))
        case .tooLarge: return .end(.helloTooLarge)
        }
    }

    private static func read(
        _ buffer: borrowing Buffer,
        with hello: inout ClientHello
    ) -> ClientHello.Finding {
        // Only bytes within the limit decide, however they have arrived.
        buffer.withBytes { hello.read($0.extracting(first: LongHello.byteLimit)) }
    }

    /// Waits for the rest of the message.
    private mutating func awaitMore() -> InspectStep {
        client.flags.remove(.inputReady)
        return client.flags.contains(.endIsBehind) ? .end(.malformedHello(.end)) : .incomplete
    }

    /// Reads the bytes of a long ClientHello that have arrived, within a bounded number of calls.
    private mutating func readLongHello(
        _ long: LongHello,
        _ router: Router,
        in context: inout ServeContext
    ) throws(Errno) -> InspectStep {
        for _ in 0..<ServeContext.callsPerTurn {
            let count = try context.scratch.append(atMost: long.room) { output throws(Errno) in
                try client.socket.read(into: &output)
            }
            guard let count else {
                client.flags.remove(.inputReady)
                return .incomplete
            }
            if count == 0 { return .end(.malformedHello(.end)) }
            toServer.taken += UInt64(count)
            let finding = context.scratch.withBytes(long.read)
            context.scratch.removeAll()
            switch finding {
            case .incomplete: continue
            case .complete:
                let client = context.inspectedClients.take()
                client.take(long.hello)
                announced = client
                let protocols = long.hello.protocols
                let name = client.serverName
                return try route(
                    router.table.match(name: name.span, protocols: protocols.span),
                    router
                )
            case .notTLS: return .end(.notTLS)
            case .malformed(let reason): return .end(.malformedHello(reason))
            case .tooLarge: return .end(.helloTooLarge)
            }
        }
        return .again
    }

    // MARK: Decisions

    private mutating func route(
        _ match: RouteTable.Match?,
        _ router: Router
    ) throws(Errno) -> InspectStep {
        let outcome: InspectionOutcome
        let upstream: Int?
        if let match {
            announced?.route = match.route
            outcome = .matched
            upstream = router.routes[match.route].upstream
        } else {
            outcome = announced?.serverName.isEmpty == false ? .noMatch : .noName
            upstream = router.upstream
        }
        guard let upstream else {
            try refuse(as: .refused)
            return .refused(outcome)
        }
        proxyState.asksForTLS = inspection == .postgresqlTLS
        inspection = .none
        return .route(upstream: upstream, outcome)
    }

    private mutating func routePlain(_ router: Router) throws(Errno) -> InspectStep {
        guard let upstream = router.notTLS else {
            try refuse(as: .refusedPlain)
            return .refused(.notTLS)
        }
        inspection = .none
        return .route(upstream: upstream, .notTLS)
    }

    // MARK: Answers

    /// Answers a PostgreSQL client's request.
    private mutating func answer(_ byte: UInt8, in context: inout ServeContext) throws(Errno) {
        context.scratch.removeAll()
        try skip(PostgreSQLOpening.requestLength, in: &context)
        toServer.taken += UInt64(PostgreSQLOpening.requestLength)
        context.scratch.removeAll()
        let answer: [1 of UInt8] = [byte]
        // A new connection has room for a byte.
        guard try send(answer.span) == 1 else { throw .noBufferSpace }
    }

    /// Sends the alert, if any, and ends the direction to the client.
    ///
    /// The connection is closed once the client has closed, because a close with unread bytes would
    /// be a reset, which could overtake the alert.
    private mutating func refuse(as state: Inspection) throws(Errno) {
        inspection = state
        longHello = nil
        if state == .refused, try send(Self.unrecognizedName.span) < Self.unrecognizedName.count {
            throw .noBufferSpace
        }
        try client.endOutput()
    }

    /// Reads and ignores the bytes that a refused client still sends.
    private mutating func awaitEnd(
        _ reason: EndReason,
        in context: inout ServeContext
    ) throws(Errno) -> InspectStep {
        for _ in 0..<ServeContext.callsPerTurn {
            context.scratch.removeAll()
            let count = try context.scratch.append { output throws(Errno) in
                try client.socket.read(into: &output)
            }
            guard let count else {
                client.flags.remove(.inputReady)
                return .incomplete
            }
            if count == 0 { return .end(reason) }
            toServer.taken += UInt64(count)
        }
        return .again
    }
}
