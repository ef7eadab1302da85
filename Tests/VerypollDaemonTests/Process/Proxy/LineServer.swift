internal import Foundation
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport

/// A server that answers each line with its own name and that line, and that can be killed and
/// restarted.
final class LineServer: Sendable {
    /// The server's counters.
    struct Record: Sendable {
        /// How many connections it has accepted.
        var accepted = 0
        /// How many connections are open.
        var active = 0
        /// How many lines it has answered.
        var answered = 0
    }

    private enum Order: Sendable {
        case kill
        case end
    }

    private struct State: Sendable {
        var name: String
        var record = Record()
        var isListening = true
        var order: Order?
    }

    /// The address that the server listens on.
    let address: String
    private let server: Server
    private let state: Mutex<State>

    /// Starts a server on a TCP port.
    ///
    /// - Parameters:
    ///   - name: The server's name.
    ///   - host: The last number of its address, 1 for 127.0.0.1.
    ///   - port: The port, or `nil` for a free one.
    /// - Throws: See bind(2).
    convenience init(_ name: String, host: UInt8 = 1, port: UInt16? = nil) throws {
        let server = try Server(host: host, port: port)
        let address = "127.0.0.\(host):\(server.port)"
        self.init(name, server, address: address)
    }

    /// Starts a server on a Unix-domain socket.
    convenience init(_ name: String, path: String) throws {
        self.init(name, try Server(path: path), address: "unix:\(path)")
    }

    private init(_ name: String, _ server: consuming Server, address: String) {
        state = Mutex(State(name: name))
        self.address = address
        self.server = server
        run()
    }

    /// The name in its answers.
    var name: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    /// The TCP port.
    var port: UInt16 { server.port }

    var record: Record { state.withLock { $0.record } }

    /// Refuses new connections, and resets the existing ones.
    func kill() throws {
        state.withLock { $0.isListening = false }
        try server.stopListening()
        try obey(.kill)
    }

    /// Accepts connections again.
    func restart() throws {
        try server.listenAgain()
        state.withLock { $0.isListening = true }
    }

    /// Stops the server; otherwise its thread would keep it alive forever.
    func end() throws {
        try obey(.end)
    }

    private func obey(_ order: Order) throws {
        state.withLock { $0.order = order }
        try eventually("\(name) to obey") { state.withLock { $0.order } == nil }
    }

    private func run() {
        Thread.detachNewThread { [self] in
            var connections: [Connection] = []
            while true {
                serve(&connections)
                let order = state.withLock { $0.order }
                guard let order else { continue }
                for connection in connections { connection.reset() }
                connections = []
                note(connections)
                state.withLock { $0.order = nil }
                if order == .end { return }
            }
        }
    }

    /// Waits for a moment, and answers the clients that have sent a line.
    private func serve(_ connections: inout [Connection]) {
        let descriptors = [server.descriptor] + connections.map { $0.client.client.descriptor }
        var entries = descriptors.map {
            pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0)
        }
        // A socket that does not listen would always be ready with POLLHUP.
        if !state.withLock({ $0.isListening }) { entries[0].fd = -1 }
        guard unsafe poll(&entries, nfds_t(entries.count), 10) > 0 else { return }
        var answered = 0
        for (connection, entry) in zip(connections, entries.dropFirst()) where entry.revents != 0 {
            answered += connection.answer(as: name)
        }
        connections.removeAll(where: \.isOver)
        var accepted = 0
        if Int32(entries[0].revents) == POLLIN, let client = accept() {
            connections.append(Connection(client))
            accepted = 1
        }
        state.withLock { state in
            state.record.accepted += accepted
            state.record.answered += answered
        }
        note(connections)
    }

    private func accept() -> Held? {
        do throws(Errno) { return Held(try server.accept(timeout: .seconds(5))) } catch {
            return nil
        }
    }

    private func note(_ connections: [Connection]) {
        state.withLock { $0.record.active = connections.count }
    }

    /// A connection, and its incomplete line.
    private final class Connection {
        let client: Held
        private var received: [UInt8] = []
        private(set) var isOver = false

        init(_ client: Held) {
            self.client = client
        }

        /// Reads once and answers; returns how many lines there were.
        func answer(as name: String) -> Int {
            do throws(Errno) {
                guard let bytes = try client.client.receiveNow() else { return 0 }
                if bytes.isEmpty { isOver = true }
                received += bytes
                var count = 0
                while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                    try client.client.send(Array("\(name) ".utf8) + received[...end])
                    received.removeSubrange(...end)
                    count += 1
                }
                return count
            } catch {
                isOver = true
                return 0
            }
        }

        /// Makes the connection close with a reset.
        func reset() {
            var lingering = linger(l_onoff: 1, l_linger: 0)
            let size = socklen_t(MemoryLayout<linger>.size)
            let number = client.client.descriptor.rawValue
            unsafe _ = setsockopt(number, SOL_SOCKET, SO_LINGER, &lingering, size)
        }
    }
}

extension Client {
    /// Waits for a line and returns it without its line feed; nil at end of file.
    func receiveLine() throws(Errno) -> String? {
        var line: [UInt8] = []
        while true {
            guard let byte = try receive(atMost: 1).first else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }

    /// Sends a line to a ``LineServer``, and returns the name of the server that answered.
    func ask(_ line: String = "who") throws(Errno) -> String {
        try send(line + "\n")
        guard let answer = try receiveLine() else { throw .brokenPipe }
        guard let name = answer.split(separator: " ").first, answer == "\(name) \(line)" else {
            throw .illegalByteSequence
        }
        return String(name)
    }
}
