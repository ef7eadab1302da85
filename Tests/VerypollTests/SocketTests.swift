#if OSPoll && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("TCP sockets")
struct TCPTests {
    @Test("accept returns nil once the backlog is empty")
    func acceptsNothing() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        #expect(try listener.accept() == nil)
    }

    @Test("a port in use throws `addressInUse`, unless both sockets share it")
    func bindsOnce() throws {
        let first = try TCPListener(binding: .loopback(port: 0))
        let address = try first.localAddress()
        #expect(address.port != 0)
        #expect(throws: Errno.addressInUse) { _ = try TCPListener(binding: address) }

        var options = TCPListener.Options()
        options.reusesPort = true
        let shared = try TCPListener(binding: .loopback(port: 0), options: options)
        _ = try TCPListener(binding: shared.localAddress(), options: options)
    }

    @Test(
        "bytes go both ways, and the addresses of both ends agree",
        arguments: [
            IPAddress.Family.v4, .v6,
        ]
    )
    func carriesBytes(family: IPAddress.Family) throws {
        let pair = try TCPPair(family)
        #expect(try pair.client.localAddress() == pair.server.peerAddress())
        #expect(try pair.client.peerAddress() == pair.server.localAddress())
        var poll = try Poll()
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        var received: [UInt8] = []
        #expect(try received.append(from: pair.server) == nil)
        #expect(try pair.client.write([1, 2, 3].span) == 3)
        _ = try expectEvents(1, from: &poll)
        #expect(try received.append(from: pair.server) == 3)
        #expect(received == [1, 2, 3])
    }

    @Test("a refused connect is an event, and finishConnect throws why")
    func refuses() throws {
        var address = SocketAddress.loopback(port: 1)
        do { address = try TCPListener(binding: .loopback(port: 0)).localAddress() }
        var poll = try Poll()
        let client = try TCPStream(connectingTo: address)
        try poll.registry.register(client, token: Token(1), interest: .writable)
        let events = try expectEvents(1, from: &poll)
        #expect(events[0].isWritable)
        #expect(throws: Errno.connectionRefused) { _ = try client.finishConnect() }
    }

    @Test("after the peer's half-close the rest is read, then end of file, and writes go on")
    func halfCloses() throws {
        let pair = try TCPPair()
        var poll = try Poll()
        try poll.registry.register(pair.server, token: Token(1), interest: .readable)
        #expect(try pair.client.write([7].span) == 1)
        try pair.client.shutdown(.write)
        var isClosed = false
        while !isClosed {
            isClosed = try expectEvents(1, from: &poll).contains(where: \.isReadClosed)
        }
        var received: [UInt8] = []
        #expect(try received.append(from: pair.server) == 1)
        #expect(try received.append(from: pair.server) == 0)
        #expect(try pair.server.write([8].span) == 1)
    }

    @Test("writing to a connection that is gone throws, without SIGPIPE")
    func breaksPipe() throws {
        let pair = try UnixStream.pair()
        try pair.second.shutdown(.both)
        #expect(throws: Errno.brokenPipe) { _ = try pair.first.write([1].span) }
    }

    @Test("options are kept by the socket")
    func keepsOptions() throws {
        let pair = try TCPPair(.v6)
        #expect(try !pair.client.noDelay())
        try pair.client.setNoDelay(true)
        #expect(try pair.client.noDelay())
        try pair.client.setTimeToLive(33)
        #expect(try pair.client.timeToLive() == 33)
        try pair.client.setKeepAlive(.seconds(90))
        try pair.client.setUserTimeout(.milliseconds(1500))
        #expect(tcpOption(TCP_KEEPIDLE, of: pair.client.fileDescriptor) == 90)
        #expect(tcpOption(TCP_USER_TIMEOUT, of: pair.client.fileDescriptor) == 1500)
        #expect(try pair.client.takeError() == nil)
    }

    @Test("adopting takes only what it says")
    func adopts() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        let address = try listener.localAddress()
        let adopted = try TCPListener(adopting: listener.release())
        #expect(try adopted.localAddress() == address)
        let listening = adoptionError(of: adopted.release())
        #expect(listening == .invalidArgument)
        let pair = try UnixStream.pair()
        let unix = adoptionError(of: pair.first.release())
        #expect(unix == .addressFamilyNotSupported)
        let null = try FileDescriptor.open(FilePath("/dev/null"), .readOnly)
        let file = adoptionError(of: OwnedFD(adopting: null))
        #expect(file == .notSocket)
    }
}

private func adoptionError(of socket: consuming OwnedFD) -> Errno? {
    do throws(Errno) {
        _ = try TCPStream(adopting: socket)
        return nil
    } catch {
        return error
    }
}

private func tcpOption(_ name: CInt, of descriptor: FileDescriptor) -> CInt {
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    _ = unsafe getsockopt(descriptor.rawValue, CInt(IPPROTO_TCP), name, &value, &size)
    return value
}

@Suite("Unix-domain sockets")
struct UnixTests {
    @Test("a read without room traps, as its 0 would pass for the end of file")
    func trapsWithoutRoom() async {
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var bytes: [UInt8] = []
            try bytes.append(addingCapacity: 0) { output in _ = try pair.first.read(into: &output) }
        }
    }

    @Test("a read over bytes replaces the first ones, and tells how many")
    func readsOverBytes() throws {
        let pair = try UnixStream.pair()
        var bytes: [UInt8] = [1, 2, 3, 4]
        #expect(try pair.first.read(into: bytes.mutableSpan) == nil)
        #expect(try pair.second.write([8, 9].span) == 2)
        #expect(try pair.first.read(into: bytes.mutableSpan) == 2)
        #expect(bytes == [8, 9, 3, 4])
        try pair.second.shutdown(.write)
        #expect(try pair.first.read(into: bytes.mutableSpan) == 0)
        #expect(bytes == [8, 9, 3, 4])
    }

    @Test("a read over no bytes traps as well")
    func trapsOverNoBytes() async {
        await #expect(processExitsWith: .failure) {
            let pair = try UnixStream.pair()
            var bytes: [UInt8] = []
            _ = try pair.first.read(into: bytes.mutableSpan)
        }
    }

    @Test("a path and an abstract name are bound, connected to and told back")
    func connects() throws {
        let name = "verypoll-\(UUID().uuidString)"
        let path = FilePath("/tmp/\(name).sock")
        defer { unsafe unlink(path.string) }
        for address in [UnixAddress.path(path), .abstract(Array(name.utf8))] {
            let listener = try UnixListener(binding: address)
            #expect(try listener.localAddress() == address)
            let client = try UnixStream(connectingTo: address)
            guard let accepted = try listener.accept() else {
                Issue.record("nothing to accept")
                return
            }
            #expect(accepted.peer == .unnamed)
            #expect(try client.peerAddress() == address)
            #expect(try client.write([1].span) == 1)
            var received: [UInt8] = []
            #expect(try received.append(from: accepted.stream) == 1)
        }
        #expect(throws: Errno.addressInUse) { _ = try UnixListener(binding: .path(path)) }
    }

    @Test("the peer's credentials are those of its process")
    func tellsCredentials() throws {
        let pair = try UnixStream.pair()
        let peer = try pair.first.peerCredentials()
        #expect(peer == PeerCredentials(processID: getpid(), userID: geteuid(), groupID: getegid()))
        #expect(try Set(pair.first.peerGroups()).isSubset(of: Set(0...UInt32(70000))))
    }

    @Test("a name over 107 bytes is refused")
    func limitsNames() {
        let long = UnixAddress.path(FilePath("/tmp/" + String(repeating: "x", count: 110)))
        #expect(throws: Errno.fileNameTooLong) { _ = try UnixListener(binding: long) }
    }

    @Test("a full backlog throws at once, told apart from a connect in progress")
    func fillsBacklog() throws {
        let address = UnixAddress.abstract(Array("verypoll-\(UUID().uuidString)".utf8))
        let listener = try UnixListener(binding: address, backlog: 0)
        let first = try UnixStream(connectingTo: address)
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            _ = try UnixStream(connectingTo: address)
        }
        withExtendedLifetime(listener.fileDescriptor) {}
        withExtendedLifetime(first.fileDescriptor) {}
    }
}
#endif
