import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

/// A connected pair of TCP sockets on the loopback interface.
struct TCPPair: ~Copyable {
    let client: AsyncTCPStream
    let server: AsyncTCPStream

    init(
        _ family: IPAddress.Family = .v4,
        on executor: PollExecutor,
        serverOn serverExecutor: PollExecutor? = nil
    ) async throws {
        let listener = try AsyncTCPListener(binding: .loopback(family, port: 0), on: executor)
        let address = try listener.socket.localAddress()
        let client = try await AsyncTCPStream.connect(to: address, on: executor)
        let server = try await listener.accept(on: serverExecutor ?? executor)
        self.client = client
        self.server = server
    }
}

/// A TCP connection whose other end is a plain blocking socket.
struct ClientPair: ~Copyable {
    let client: Client
    let server: AsyncTCPStream

    init(on executor: PollExecutor) async throws {
        let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
        let client = try Client(port: listener.socket.localAddress().port)
        let server = try await listener.accept()
        self.client = client
        self.server = server
    }
}

/// A listener whose backlog is full, so that a connect to it neither succeeds nor fails.
struct Blackhole: ~Copyable {
    let address: SocketAddress
    private let executor: PollExecutor
    private let listener: AsyncTCPListener
    private let filler: AsyncTCPStream

    init(_ family: IPAddress.Family = .v4, on executor: PollExecutor) async throws {
        var options = TCPListener.Options()
        options.backlog = 0
        let listener = try AsyncTCPListener(
            binding: .loopback(family, port: 0),
            options: options,
            on: executor
        )
        let address = try listener.socket.localAddress()
        let filler = try await AsyncTCPStream.connect(to: address, on: executor)
        // Until the connection is in the backlog, the kernel would take another one.
        try await listener.readable()
        self.address = address
        self.executor = executor
        self.listener = listener
        self.filler = filler
    }

    /// Expects that all sockets that were trying to connect are closed.
    ///
    /// A child of another test holds copies of all descriptors until it calls execve(2), so a
    /// socket may be open for a moment longer.
    func expectNoPendingConnect() async throws {
        while try hasPendingConnect() { try await executor.sleep(until: .now + .milliseconds(1)) }
    }

    /// Whether a socket of this machine is still trying to connect.
    private func hasPendingConnect() throws -> Bool {
        let name = address.ip.family == .v4 ? "tcp" : "tcp6"
        let table = try String(contentsOfFile: "/proc/net/\(name)", encoding: .utf8)
        let port = String(format: ":%04X", Int(address.port))
        return table.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            // The state 02 is SYN-SENT.
            return fields.count > 3 && fields[2].hasSuffix(port) && fields[3] == "02"
        }
    }
}

/// Returns an address at which connections are refused, and which no other socket gets by chance.
func refusingAddress(_ family: IPAddress.Family = .v4) throws -> SocketAddress {
    .loopback(family, port: try reservedPort())
}

extension AsyncByteReader where Self: ~Copyable {
    /// Reads `count` bytes, or fewer if the stream ends first, at most `step` at a time.
    func read(exactly count: Int, step: Int = 65_536) async throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: step)
        while bytes.count < count {
            let excess = buffer.count - (count - bytes.count)
            if excess > 0 { buffer.removeLast(excess) }
            let received = try await read(into: buffer.mutableSpan)
            if received == 0 { break }
            bytes += buffer.prefix(received)
        }
        return bytes
    }

    /// Reads until the end of the stream.
    func readToEnd(step: Int = 65_536) async throws(Errno) -> [UInt8] {
        try await read(exactly: .max, step: step)
    }

    /// Reads once, with room for `room` bytes.
    func readOnce(
        room: Int = 4096,
        until deadline: Deadline = .never
    ) async throws(Errno) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: room)
        let count = try await read(into: buffer.mutableSpan, until: deadline)
        return Array(buffer.prefix(count))
    }
}

extension AsyncByteWriter where Self: ~Copyable {
    func writeAll(
        _ bytes: [UInt8],
        until deadline: Deadline = .never
    ) async throws(Errno) {
        try await writeAll(bytes.span, until: deadline)
    }

    /// Writes two to four runs of bytes.
    func writeAll(parts: [[UInt8]]) async throws(Errno) {
        let parts = parts + Array(repeating: [], count: 4 - parts.count)
        let (first, second, third, fourth) = (parts[0], parts[1], parts[2], parts[3])
        try await writeAll(first.span, second.span, third.span, fourth.span)
    }

    func writeAll(
        _ text: String,
        until deadline: Deadline = .never
    ) async throws(Errno) {
        try await writeAll(Array(text.utf8), until: deadline)
    }

    /// Writes until the kernel accepts no more for now, and returns how much it accepted.
    func fill(_ byte: UInt8 = 0x5A) async throws(Errno) -> Int {
        let bytes = [UInt8](repeating: byte, count: 65_536)
        var total = 0
        while true {
            do throws(Errno) {
                total += try await write(bytes.span, until: .now)
            } catch .deadlineExceeded {
                return total
            }
        }
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// Returns bytes that differ from each other, so that a lost or moved one shows.
    static func noise(_ count: Int, at start: Int = 0) -> [UInt8] {
        Array(Noise.slice(count, at: start))
    }
}

extension UnixAddress {
    /// Returns an abstract name that no other socket has.
    static func unique() -> UnixAddress {
        .abstract(Array("verypoll-\(UUID().uuidString)".utf8))
    }
}

extension AsyncSource where Self: ~Copyable {
    /// Expects that an operation waits until its deadline, and not shorter.
    func expectDeadline(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ operation: (borrowing Self, Deadline) async throws -> Void
    ) async {
        let deadline = Deadline.now + .milliseconds(5)
        await #expect(throws: Errno.deadlineExceeded, sourceLocation: sourceLocation) {
            try await operation(self, deadline)
        }
        #expect(Deadline.now >= deadline, sourceLocation: sourceLocation)
    }
}
