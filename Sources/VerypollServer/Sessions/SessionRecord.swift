package import Verypoll

/// What is written of a live session for the process that goes on with it.
///
/// It refers to listeners, upstreams and servers by their names, as their places may be others
/// there. Its descriptors travel beside it, in the order of ``descriptorCount``.
package struct SessionRecord: Equatable, Sendable {
    /// The number that the control socket and the journal call it by.
    package var id: UInt64
    /// The name of its listener.
    package var listener: String
    /// What the listener's handler is called.
    package var service: String
    /// The millisecond of its accept, of the monotonic clock, as all moments are.
    package var openedAt: UInt64
    /// When bytes were last read or written.
    package var activeAt: UInt64
    /// When the first of its ways ended, 0 before.
    package var halfClosedAt: UInt64
    /// How far a handler that sends a fixed text has come in it.
    package var position: UInt16
    /// Whether the client has yet to say by a PROXY header whom it speaks for.
    package var awaitsHeader: Bool
    /// Whether it is counted among the sessions of its source.
    package var isCountedBySource: Bool
    /// The number of the error that broke one of its connections, 0 before.
    package var brokenBy: Int32
    /// The client as a TCP address, `nil` for others.
    package var peer: SocketAddress?
    /// Where a PROXY header says the client has connected to.
    package var destination: SocketAddress?
    package var client: End
    /// `nil` while there is no connection to a server, not even one that is being made.
    package var server: End?
    /// From the client.
    package var toServer: Channel
    /// To the client.
    package var toClient: Channel
    /// `nil` unless it is proxied.
    package var route: Route?

    /// One of its connections.
    package struct End: Equatable, Sendable {
        /// Whether it is a Unix-domain socket, and not one of TCP.
        package var isUnix: Bool
        package var marks: Marks
    }

    /// What is known of a connection; bits that are not here mean nothing.
    package struct Marks: OptionSet, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The peer's end of file was read, or an error took its place.
        package static let inputEnded = Marks(rawValue: 1 << 0)
        /// The way to the peer was ended.
        package static let outputEnded = Marks(rawValue: 1 << 1)
        /// A call has failed.
        package static let failed = Marks(rawValue: 1 << 2)
        // Bit 3 has no meaning any more: version 0.1 owed the peer an end there.
        /// The kernel gathers small writes.
        package static let gathers = Marks(rawValue: 1 << 4)
        /// Something was sent.
        package static let hasSent = Marks(rawValue: 1 << 5)
        /// Urgent data has come.
        package static let isUrgent = Marks(rawValue: 1 << 6)
        /// A short read does not tell that all was read.
        package static let isReadToNil = Marks(rawValue: 1 << 7)
    }

    /// One of its ways.
    package struct Channel: Equatable, Sendable {
        /// The bytes that were taken from the one end.
        package var taken: UInt64
        /// The bytes that were given to the other.
        package var given: UInt64
        /// The bytes that the other end did not take yet.
        package var parked: [UInt8]
        /// How many bytes, behind these, are in a pipe; `nil` without a pipe.
        package var piped: UInt32?
        /// Whether bytes pass through pipes by now.
        package var isSpliced: Bool
    }

    /// How it comes to its server.
    package struct Route: Equatable, Sendable {
        /// The name of the upstream.
        package var upstream: String
        /// The name of the server, empty while none is chosen.
        package var server: String
        /// Whether the connection to it is still being made.
        package var isConnecting: Bool
        /// Which of the server's addresses is tried next.
        package var address: UInt32
        /// The version of the PROXY header that the server is owed, 0 for none.
        package var owedHeader: UInt8
        /// Whether one connection is broken, and the last bytes of the other are under way.
        package var isBreaking: Bool
        /// When the present attempt to connect is over, or the session as its server is down; the
        /// largest for never.
        package var nextAt: UInt64
        /// When the search for a server is over, the largest for never.
        package var endsAt: UInt64
    }

    /// Whether bytes wait that an end did not take yet.
    var hasBytes: Bool {
        !toServer.parked.isEmpty || toServer.piped != nil || !toClient.parked.isEmpty
            || toClient.piped != nil
    }

    /// Its descriptors: the client's socket, the server's if there is one, and of each pipe, first
    /// that of ``up``, the end that is written to and the end that is read from.
    package var descriptorCount: Int {
        1 + (server == nil ? 0 : 1) + (toServer.piped == nil ? 0 : 2)
            + (toClient.piped == nil ? 0 : 2)
    }

    /// Whether descriptors of these kinds are those that it describes.
    func describes(_ kinds: [DescriptorKind]) -> Bool {
        guard kinds.count == descriptorCount else { return false }
        var rest = kinds[...]
        for case let end? in [client, server] {
            guard rest.popFirst() == (end.isUnix ? .unix : .tcp) else { return false }
        }
        for case let count? in [toServer.piped, toClient.piped] {
            guard case .pipeSender(let pipe) = rest.popFirst(),
                rest.popFirst() == .pipeReceiver(pipe, byteCount: Int(count))
            else { return false }
        }
        return true
    }
}
