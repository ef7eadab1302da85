package import Verypoll

/// The record of a live session for the process that restores it.
///
/// It refers to listeners, upstreams and servers by name, because their slots may differ in the
/// next process. Its descriptors are passed along with it, in the order of ``descriptorCount``. All
/// moments are milliseconds of the monotonic clock.
package struct SessionRecord: Equatable, Sendable {
    /// The session's ID on the control socket and in the journal.
    package var id: UInt64
    /// The name of the listener.
    package var listener: String
    /// The name of the listener's handler, the raw value of ``SessionService``.
    package var service: String
    /// The moment at which the connection was accepted.
    package var openedAt: UInt64
    /// The moment at which bytes were last read or written.
    package var activeAt: UInt64
    /// The moment at which the first direction ended; 0 if none has.
    package var halfClosedAt: UInt64
    /// The position in the text of a handler that sends a fixed text; below
    /// ``Session/positionLimit``.
    package var position: UInt16
    /// Whether the session has not read the client's PROXY header yet.
    package var awaitsHeader: Bool
    /// Whether the session is counted in the source table of its listener.
    package var isCountedBySource: Bool
    /// The number of the error that broke one of the connections; 0 if none has broken.
    package var brokenBy: Int32
    /// The address of a TCP client, or the source address in its PROXY header; `nil` for other
    /// clients.
    package var peer: SocketAddress?
    /// The destination address in the client's PROXY header.
    package var destination: SocketAddress?
    package var client: End
    /// The connection to the server, made or being made; `nil` if there is none.
    package var server: End?
    /// The channel from the client.
    package var toServer: Channel
    /// The channel to the client.
    package var toClient: Channel
    /// The route of a proxied session; `nil` for others.
    package var route: Route?
    /// The step of the inspection, the raw value of ``Session/Inspection``.
    package var inspection: UInt8 = 0
    /// Whether the bytes that ``toServer`` keeps are those of a ``LongHello``.
    package var keepsHello = false
    /// The names in a TLS client's ClientHello; `nil` without inspection.
    package var announced: Announced?
    /// The parts of the session's story that only its log entry needs.
    package var story = Story()
    /// The address of a vsock client.
    package var vsockPeer: VsockAddress?

    /// The parts of a session's story that only its log entry needs.
    package struct Story: Equatable, Sendable {
        /// See ``ProxyState/connectTime``.
        package var connectTime: UInt32 = 0
        /// The milliseconds that the session has spent in the upstream's queue.
        package var queueTime: UInt32 = 0
        /// The number of attempts to connect.
        package var attemptCount: UInt16 = 0
        /// The raw value of the ``SessionParty`` whose end of file came first; 0 for none.
        package var firstEnd: UInt8 = 0
        /// The number of restarts that the session has survived.
        package var restartCount: UInt8 = 0
        /// The address that has sent the PROXY header.
        package var sender: SocketAddress?
    }

    /// The names in a TLS client's ClientHello; see ``InspectedClient``.
    package struct Announced: Equatable, Sendable {
        package var serverName: [UInt8]
        package var protocols: [UInt8]
        /// The name of the route that matched the session; empty if none did.
        package var route: String
    }

    /// One of the session's connections.
    package struct End: Equatable, Sendable {
        package var kind: EndKind
        package var marks: Marks
    }

    /// The kind of a connection's socket.
    package enum EndKind: Sendable {
        case tcp
        case unix
        case vsock

        /// The kind of the descriptor.
        var descriptorKind: DescriptorKind {
            switch self {
            case .tcp: .tcp
            case .unix: .unix
            case .vsock: .vsock
            }
        }
    }

    /// The recorded flags of an ``Endpoint``; other bits have no meaning.
    package struct Marks: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The peer's end of file was read, or a read has failed.
        package static let inputEnded = Marks(rawValue: 1 << 0)
        /// The direction to the peer was ended, or has failed.
        package static let outputEnded = Marks(rawValue: 1 << 1)
        /// The connection has failed.
        package static let failed = Marks(rawValue: 1 << 2)
        // Bit 3 is unused: version 0.1 recorded there that it still owed the peer an end of file.
        /// Nagle's algorithm is on.
        package static let gathers = Marks(rawValue: 1 << 4)
        /// Bytes were sent.
        package static let hasSent = Marks(rawValue: 1 << 5)
        /// Urgent data has arrived.
        package static let isUrgent = Marks(rawValue: 1 << 6)
        /// Only a read that returns `nil` proves that the socket is drained.
        package static let isReadToNil = Marks(rawValue: 1 << 7)
    }

    /// One direction of the session.
    package struct Channel: Equatable, Sendable {
        /// The number of bytes read from the source.
        package var taken: UInt64
        /// The number of bytes written to the sink.
        package var given: UInt64
        /// The copied bytes that the sink has not accepted yet.
        package var parked: [UInt8]
        /// The number of bytes in the pipe, which follow the copied ones; `nil` without a pipe.
        package var piped: UInt32?
        /// Whether the channel splices.
        package var isSpliced: Bool
    }

    /// The state of a proxied session's search for its server.
    package struct Route: Equatable, Sendable {
        /// The name of the upstream.
        package var upstream: String
        /// The name of the server; empty while none is chosen.
        package var server: String
        /// Whether the connection is still being made.
        package var isConnecting: Bool
        /// The index of the server's address to try next.
        package var address: UInt32
        /// The version of the PROXY header that is still to be sent to the server; 0 if there is
        /// none.
        package var owedHeader: UInt8
        /// Whether the client has asked for TLS by PostgreSQL's request.
        package var asksForTLS = false
        /// The state of the request to the server, the raw value of ``ProxyState/Request``.
        package var request: UInt8 = 0
        /// Whether one connection is broken and the last bytes for the other are being sent.
        package var isBreaking: Bool
        /// The moment at which the current attempt ends, or at which the session ends because its
        /// server is down; the largest number for never.
        package var nextAt: UInt64
        /// The moment at which the search for a server ends; the largest number for never.
        package var endsAt: UInt64
    }

    /// Whether bytes wait for one of the ends.
    var hasBytes: Bool {
        !toServer.parked.isEmpty || toServer.piped != nil || !toClient.parked.isEmpty
            || toClient.piped != nil
    }

    /// The number of descriptors: the client's socket, the server's if any, then for each pipe,
    /// `toServer` before `toClient`, its write end and its read end.
    package var descriptorCount: Int {
        1 + (server == nil ? 0 : 1) + (toServer.piped == nil ? 0 : 2)
            + (toClient.piped == nil ? 0 : 2)
    }

    /// Returns whether descriptors of these kinds match the record.
    func describes(_ kinds: [DescriptorKind]) -> Bool {
        guard kinds.count == descriptorCount else { return false }
        var rest = kinds[...]
        for case let end? in [client, server] {
            guard rest.popFirst() == end.kind.descriptorKind else { return false }
        }
        for case let count? in [toServer.piped, toClient.piped] {
            guard case .pipeSender(let pipe) = rest.popFirst(),
                rest.popFirst() == .pipeReceiver(pipe, byteCount: Int(count))
            else { return false }
        }
        return true
    }
}
