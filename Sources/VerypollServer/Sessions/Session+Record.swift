package import SystemPackage
internal import Verypoll
internal import VerypollConfiguration

extension Session {
    /// Everything of it but its descriptors.
    package func record(listener: Listener, upstream: Upstream?) -> SessionRecord {
        let isConnected = proxyState.server.socket.fileDescriptor != nil
        let server = proxyState.connector.isHeld || !isConnected ? nil : proxyState.connector.server
        let route = upstream.map { upstream in
            SessionRecord.Route(
                upstream: upstream.name,
                server: server.map { upstream.servers[$0].name } ?? "",
                isConnecting: server != nil && proxyState.connector.phase == .connecting,
                address: UInt32(clamping: proxyState.connector.addressIndex),
                owedHeader: proxyState.owedHeader.version,
                isBreaking: proxyState.connector.phase == .breaking,
                nextAt: proxyState.connector.nextAt,
                endsAt: proxyState.connector.endsAt
            )
        }
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
            toServer: toServer.record,
            toClient: toClient.record,
            route: route
        )
    }

    /// Its descriptors, in the order of ``SessionRecord/descriptorCount``.
    func descriptors(of record: SessionRecord) -> [FileDescriptor] {
        var descriptors = [client.socket.fileDescriptor]
        if record.server != nil { descriptors.append(proxyState.server.socket.fileDescriptor) }
        return descriptors.compactMap { $0 } + toServer.descriptors + toClient.descriptors
    }

    /// Has its connections break when the last process closes them, or end as ever.
    func setBreaking(_ isOn: Bool) {
        for socket in [client.socket.fileDescriptor, proxyState.server.socket.fileDescriptor] {
            guard let socket else { continue }
            // It fails for no socket of ours; then the connection would just end.
            try? LingerOption.setBreaking(isOn, socket)
        }
    }
}

extension Endpoint {
    /// Which mark stands for which flag; others are found out anew.
    private static let marks: [(SessionRecord.Marks, Flags)] = [
        (.inputEnded, .inputEnded), (.outputEnded, .outputEnded), (.failed, .failed),
        (.gathers, .gathers), (.hasSent, .hasSent), (.isUrgent, .isUrgent),
        (.isReadToNil, .isReadToNil),
    ]

    fileprivate var record: SessionRecord.End {
        var marks: SessionRecord.Marks = []
        for (mark, flag) in Self.marks where flags.contains(flag) { marks.insert(mark) }
        let isUnix =
            switch socket {
            case .unix: true
            case .tcp: false
            case .none: false
            }
        return SessionRecord.End(isUnix: isUnix, marks: marks)
    }

    /// Goes on with a connection.
    ///
    /// What there is to read is told by the first event, and whether it takes bytes by trying.
    init(_ record: SessionRecord.End, adopting socket: consuming OwnedFD) throws(Errno) {
        self.init(try SessionSocket(adopting: socket, isUnix: record.isUnix))
        flags = []
        for (mark, flag) in Self.marks where record.marks.contains(mark) { flags.insert(flag) }
        if !flags.contains(.outputEnded) { flags.insert(.outputReady) }
    }
}

extension SessionSocket {
    /// Takes over a connected socket, which closes if it is of another kind.
    init(adopting socket: consuming OwnedFD, isUnix: Bool) throws(Errno) {
        if isUnix {
            self = .unix(try UnixStream(adopting: socket))
        } else {
            self = .tcp(try TCPStream(adopting: socket))
        }
    }

    /// Its descriptor; `nil` if there is none.
    package var fileDescriptor: FileDescriptor? {
        switch self {
        case .tcp(let stream): stream.fileDescriptor
        case .unix(let stream): stream.fileDescriptor
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

    /// Goes on with a way; its pipe, if there is one, is the next of the descriptors.
    ///
    /// - Throws: `Errno.noMemory` if there is no buffer for what waits.
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
    /// The version as a number, 0 for none.
    fileprivate var version: UInt8 {
        switch self {
        case .off: 0
        case .v1: 1
        case .v2: 2
        }
    }

    /// The header of a version.
    init(version: UInt8) {
        switch version {
        case 1: self = .v1
        case 2: self = .v2
        default: self = .off
        }
    }
}
