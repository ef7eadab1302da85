package import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

extension Session {
    /// Returns a record that contains everything about the session except its descriptors.
    ///
    /// - Parameters:
    ///   - listener: The session's listener.
    ///   - upstream: The session's upstream, if it is proxied.
    ///   - now: The current millisecond.
    /// - Returns: The record.
    package func record(listener: Listener, upstream: Upstream?, now: UInt64) -> SessionRecord {
        let isConnected = proxyState.server.socket.fileDescriptor != nil
        let server = proxyState.connector.isHeld || !isConnected ? nil : proxyState.connector.server
        let route = upstream.map { upstream in
            SessionRecord.Route(
                upstream: upstream.name,
                server: server.map { upstream.servers[$0].name } ?? "",
                isConnecting: server != nil && proxyState.connector.phase == .connecting,
                address: UInt32(clamping: proxyState.connector.addressIndex),
                owedHeader: proxyState.owedHeader.version,
                asksForTLS: proxyState.asksForTLS,
                request: proxyState.request.rawValue,
                isBreaking: proxyState.connector.phase == .breaking,
                nextAt: proxyState.connector.nextAt,
                endsAt: proxyState.connector.endsAt
            )
        }
        var toServer = toServer.record
        if let longHello { toServer.parked = longHello.bytes }
        return SessionRecord(
            id: id,
            listener: listener.name,
            service: listener.service.rawValue,
            openedAt: openedAt,
            activeAt: activeAt,
            halfClosedAt: halfClosedAt,
            position: position,
            awaitsHeader: awaitsHeader,
            isCountedBySource: isCountedBySource,
            brokenBy: proxyState.brokenBy,
            peer: peer,
            destination: destination,
            client: client.record,
            server: server == nil ? nil : proxyState.server.record,
            toServer: toServer,
            toClient: toClient.record,
            route: route,
            inspection: inspection.rawValue,
            keepsHello: longHello != nil,
            announced: announced.map { client in
                SessionRecord.Announced(
                    serverName: client.serverName,
                    protocols: client.protocols,
                    route: client.route.flatMap { listener.router?.routes[$0].name } ?? ""
                )
            },
            story: SessionRecord.Story(
                connectTime: proxyState.connectTime,
                queueTime: proxyState.effort.queueTime(now: now),
                attemptCount: proxyState.effort.attemptCount,
                firstEnd: firstEnd?.rawValue ?? 0,
                restartCount: restartCount,
                sender: sender
            ),
            vsockPeer: vsockPeer
        )
    }

    /// Restores the story of an earlier process, which has now survived one more restart, and the
    /// addresses of the PROXY header.
    mutating func restoreStory(_ record: SessionRecord, in context: inout ServeContext) {
        let story = record.story
        proxyState.connectTime = story.connectTime
        proxyState.effort = SearchEffort(
            attemptCount: story.attemptCount,
            queueTime: story.queueTime
        )
        firstEnd = SessionParty(rawValue: story.firstEnd)
        restartCount = story.restartCount == .max ? .max : story.restartCount + 1
        guard record.destination != nil || story.sender != nil || record.vsockPeer != nil else {
            return
        }
        headerAddresses = context.headerAddresses.take(
            sender: story.sender,
            destination: record.destination,
            vsockPeer: record.vsockPeer
        )
    }

    /// Restores the inspection of an earlier process.
    mutating func restoreInspection(
        _ record: SessionRecord,
        _ router: Router?,
        in context: inout ServeContext
    ) {
        inspection = Inspection(rawValue: record.inspection) ?? .none
        proxyState.asksForTLS = record.route?.asksForTLS ?? false
        proxyState.request = .init(rawValue: record.route?.request ?? 0) ?? .none
        if record.keepsHello {
            let long = LongHello()
            _ = long.read(record.toServer.parked.span)
            longHello = long
        }
        guard let announced = record.announced else { return }
        let client = context.inspectedClients.take()
        client.restore(serverName: announced.serverName, protocols: announced.protocols)
        client.route = router?.routes.firstIndex { $0.name == announced.route }
        if let route = client.route { router?.routes[route].counter.enter(isNew: false) }
        self.announced = client
    }

    /// Returns the session's descriptors, in the order of ``SessionRecord/descriptorCount``.
    func descriptors(of record: SessionRecord) -> [FileDescriptor] {
        var descriptors = [client.socket.fileDescriptor]
        if record.server != nil { descriptors.append(proxyState.server.socket.fileDescriptor) }
        return descriptors.compactMap { $0 } + toServer.descriptors + toClient.descriptors
    }

    /// Chooses whether the kernel resets the connections when the last process closes them, or ends
    /// them normally.
    func setBreaking(_ isOn: Bool) {
        for socket in [client.socket.fileDescriptor, proxyState.server.socket.fileDescriptor] {
            guard let socket else { continue }
            // Does not fail for such sockets; if it did, the connection would end normally.
            try? LingerOption.setBreaking(isOn, socket)
        }
    }
}

extension Endpoint {
    /// The flags that are recorded; the others are determined again after a restart.
    private static let marks: [(SessionRecord.Marks, Flags)] = [
        (.inputEnded, .inputEnded), (.outputEnded, .outputEnded), (.failed, .failed),
        (.gathers, .gathers), (.hasSent, .hasSent), (.isUrgent, .isUrgent),
        (.isReadToNil, .isReadToNil),
    ]

    fileprivate var record: SessionRecord.End {
        var marks: SessionRecord.Marks = []
        for (mark, flag) in Self.marks where flags.contains(flag) { marks.insert(mark) }
        let kind: SessionRecord.EndKind =
            switch socket {
            case .unix: .unix
            case .vsock: .vsock
            case .tcp: .tcp
            case .none: .tcp
            }
        return SessionRecord.End(kind: kind, marks: marks)
    }

    /// Restores an endpoint.
    ///
    /// The first event reports whether there is input. `outputReady` is set, because the first
    /// write determines whether there is room.
    init(_ record: SessionRecord.End, adopting socket: consuming OwnedFD) throws(Errno) {
        self.init(try SessionSocket(adopting: socket, record.kind))
        flags.formIntersection(.isNeverSpliced)
        for (mark, flag) in Self.marks where record.marks.contains(mark) { flags.insert(flag) }
        if !flags.contains(.outputEnded) { flags.insert(.outputReady) }
    }
}

extension SessionSocket {
    /// Adopts a connected socket; closes it and throws if it is of the wrong kind.
    init(
        adopting socket: consuming OwnedFD,
        _ kind: SessionRecord.EndKind
    ) throws(Errno) {
        switch kind {
        case .tcp: self = .tcp(try TCPStream(adopting: socket))
        case .unix: self = .unix(try UnixStream(adopting: socket))
        case .vsock: self = .vsock(try VsockStream(adopting: socket))
        }
    }

    /// The descriptor; `nil` if there is no connection.
    package var fileDescriptor: FileDescriptor? {
        switch self {
        case .tcp(let stream): stream.fileDescriptor
        case .unix(let stream): stream.fileDescriptor
        case .vsock(let stream): stream.fileDescriptor
        case .none: nil
        }
    }
}

extension Channel {
    fileprivate var record: SessionRecord.Channel {
        let parked =
            switch self.parked {
            case .some(let buffer): buffer.contents
            case .none: [UInt8]()
            }
        let piped: UInt32? =
            switch splicePipe {
            case .some(let splicePipe): UInt32(splicePipe.count)
            case .none: nil
            }
        return SessionRecord.Channel(
            taken: taken,
            given: given,
            parked: parked,
            piped: piped,
            isSpliced: isSpliced
        )
    }

    fileprivate var descriptors: [FileDescriptor] {
        switch splicePipe {
        case .some(let splicePipe): splicePipe.descriptors
        case .none: []
        }
    }

    /// Restores a channel; if it has a pipe, takes the pipe's ends from the list of descriptors.
    ///
    /// - Throws: `Errno.noMemory` if the pool has no buffer for the waiting bytes.
    init(
        _ record: SessionRecord.Channel,
        _ descriptors: inout DescriptorList,
        in context: inout ServeContext
    ) throws(Errno) {
        self.init()
        guard record.parked.isEmpty || context.pool.hasRoom else { throw .noMemory }
        taken = record.taken
        given = record.given
        isSpliced = record.isSpliced
        if let piped = record.piped {
            let sender = try descriptors.next()
            let receiver = try descriptors.next()
            splicePipe = try SplicePipe(adopting: sender, receiver, count: Int(piped))
            context.splicePipes.adopt()
        }
        guard !record.parked.isEmpty else { return }
        var buffer = context.pool.take()
        buffer.append(record.parked.span)
        parked = consume buffer
    }
}

extension UpstreamConfiguration.ProxyHeader {
    /// The version as a number; 0 for `off`.
    fileprivate var version: UInt8 {
        switch self {
        case .off: 0
        case .v1: 1
        case .v2: 2
        }
    }

    /// Makes the value for a version number; `off` for 0.
    init(version: UInt8) {
        switch version {
        case 1: self = .v1
        case 2: self = .v2
        default: self = .off
        }
    }
}
