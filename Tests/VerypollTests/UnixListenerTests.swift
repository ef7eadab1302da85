#if Net
import CTestSupport
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("UnixListener and UnixAddress")
struct UnixListenerTests {
    @Test("a path and an abstract name can be bound, connected to and read back")
    func connects() throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(directory.appending("socket"))
        for address in [UnixAddress.path(path), .unique()] {
            let listener = try UnixListener(binding: address)
            #expect(try listener.localAddress() == address)
            #expect(try listener.accept() == nil)
            let client = try UnixStream(connectingTo: address)
            let accepted = try listener.next()
            #expect(accepted.peer == .unnamed)
            #expect(try accepted.stream.localAddress() == address)
            #expect(try client.peerAddress() == address)
            #expect(try client.localAddress() == .unnamed)
            #expect(try client.finishConnect() == .connected)
            #expect(try client.write([1].span) == 1)
            #expect(try accepted.stream.readExactly(1) == [1])
            #expect(try listener.accept() == nil)
        }
        #expect(throws: Errno.addressInUse) { _ = try UnixListener(binding: .path(path)) }
    }

    @Test("a path need not be UTF-8, and an abstract name may contain any bytes")
    func takesAnyBytes() throws {
        let directory = try TemporaryDirectory()
        let bytes = Array(directory.path.utf8) + [0x2F, 0xFF, 0x80, 0x20, 0xC3]
        let path = unsafe FilePath(platformString: bytes.map(CChar.init(bitPattern:)) + [0])
        let unique = Array("verypoll-\(UUID().uuidString)".utf8)
        for address in [UnixAddress.path(path), .abstract(unique + [0, 0xFF, 0x2F, 0])] {
            let listener = try UnixListener(binding: address)
            #expect(try listener.localAddress() == address)
            let client = try UnixStream(connectingTo: address)
            #expect(try client.peerAddress() == address)
        }
        // The names differ, although a C string would end at the first zero.
        #expect(throws: Errno.connectionRefused) {
            _ = try UnixStream(connectingTo: .abstract(unique))
        }
    }

    @Test("a path and an abstract name may have up to 107 bytes")
    func limitsNames() throws {
        let directory = try TemporaryDirectory()
        let room = 107 - directory.path.utf8.count - 1
        let unique = Array("verypoll-\(UUID().uuidString)".utf8)
        let filler = [UInt8](repeating: 0x78, count: 107 - unique.count)
        let longest = [
            UnixAddress.path(FilePath(directory.appending(String(repeating: "x", count: room)))),
            .abstract(unique + filler),
        ]
        for address in longest {
            #expect(try UnixListener(binding: address).localAddress() == address)
        }
        let tooLong = [
            UnixAddress.path(
                FilePath(directory.appending(String(repeating: "x", count: room + 1)))
            ),
            .abstract(unique + filler + [1]),
        ]
        for address in tooLong {
            #expect(throws: Errno.fileNameTooLong) { _ = try UnixListener(binding: address) }
            #expect(throws: Errno.fileNameTooLong) { _ = try UnixStream(connectingTo: address) }
        }
        #expect(throws: Errno.invalidArgument) { _ = try UnixListener(binding: .path("")) }
    }

    @Test("a listener bound without a name gets an abstract one from the kernel")
    func isNamedByKernel() throws {
        let one = try UnixListener(binding: .unnamed)
        let two = try UnixListener(binding: .unnamed)
        let address = try one.localAddress()
        guard case .abstract(let name) = address else {
            Issue.record("\(address) is not abstract")
            return
        }
        #expect(!name.isEmpty)
        #expect(try two.localAddress() != address)
        let client = try UnixStream(connectingTo: address)
        #expect(try client.peerAddress() == address)
    }

    @Test("connecting without a listener is `noSuchFileOrDirectory` or `connectionRefused`")
    func refuses() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2).
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = UnixAddress.path(FilePath(directory.appending("socket")))
            #expect(throws: Errno.noSuchFileOrDirectory) { _ = try UnixStream(connectingTo: path) }
            do { _ = try UnixListener(binding: path) }
            #expect(throws: Errno.connectionRefused) { _ = try UnixStream(connectingTo: path) }
            #expect(throws: Errno.addressInUse) { _ = try UnixListener(binding: path) }
            #expect(throws: Errno.connectionRefused) { _ = try UnixStream(connectingTo: .unique()) }
        }
    }

    @Test("a full backlog throws at once, unlike a connect in progress")
    func fillsBacklog() throws {
        let address = UnixAddress.unique()
        let listener = try UnixListener(binding: address, backlog: 0)
        let first = try UnixStream(connectingTo: address)
        #expect(try first.finishConnect() == .connected)
        #expect(throws: Errno.resourceTemporarilyUnavailable) {
            _ = try UnixStream(connectingTo: address)
        }
        // Once there is room, the same connect succeeds at once.
        _ = try listener.next()
        let second = try UnixStream(connectingTo: address)
        #expect(try second.finishConnect() == .connected)
    }

    @Test("a connection that closed before it was accepted is accepted and at end of file")
    func acceptsTheGone() throws {
        let address = UnixAddress.unique()
        let listener = try UnixListener(binding: address)
        do {
            let client = try UnixStream(connectingTo: address)
            #expect(try client.write([5].span) == 1)
        }
        let accepted = try listener.next()
        #expect(try accepted.stream.readToEnd() == [5])
        #expect(try listener.takeError() == nil)
    }

    @Test("an address prints its path, its abstract name, or nothing")
    func prints() {
        #expect(UnixAddress.path("/run/a.sock").description == "/run/a.sock")
        #expect(UnixAddress.abstract(Array("name".utf8)).description == "@name")
        #expect(UnixAddress.unnamed.description.isEmpty)
    }

    @Test("a peer's credentials stay available after it exits, and its pidfd may stay, too")
    func outlivesPeer() async {
        // Run in an exit test, because forking is unsafe while other threads run.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = directory.appending("socket")
            let listener = try UnixListener(binding: .path(FilePath(path)))
            let processID = unsafe ctest_connect_and_end(path)
            var status: Int32 = -1
            _ = unsafe waitpid(processID, &status, 0)
            try #require(status == 0)
            let accepted = try listener.next()
            let peer = try accepted.stream.peerCredentials()
            #expect(peer.processID == processID && peer.userID == geteuid())
            do throws(Errno) {
                // Newer kernels keep a pidfd for the peer, which only reports that the peer has
                // exited.
                let process = try accepted.stream.peerProcess()
                #expect(process.fileDescriptor.closesOnExec)
            } catch {
                #expect(error == .noSuchProcess || error == .protocolNotAvailable)
            }
        }
    }

    #if OSPoll
    @Test("each connection is an event after the backlog was drained")
    func reports() throws {
        var poll = try Poll()
        let address = UnixAddress.unique()
        let listener = try UnixListener(binding: address)
        try poll.registry.register(listener, token: Token(1), interest: .readable)
        for turn in 0..<3 {
            #expect(try pendingEvents(in: &poll).isEmpty)
            let client = try UnixStream(connectingTo: address)
            let event = try expectEvent(Token(1 + turn), from: &poll)
            #expect(event.isReadable && !event.isWritable)
            _ = try listener.next()
            #expect(try listener.accept() == nil)
            try poll.registry.reregister(listener, token: Token(2 + turn), interest: .readable)
            withExtendedLifetime(client.fileDescriptor) {}
        }
        try poll.registry.deregister(listener)
        let client = try UnixStream(connectingTo: address)
        #expect(try pendingEvents(in: &poll).isEmpty)
        withExtendedLifetime(client.fileDescriptor) {}
    }
    #endif
}
#endif
