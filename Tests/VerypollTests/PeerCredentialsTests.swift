#if Net
import CTestSupport
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("PeerCredentials")
struct PeerCredentialsTests {
    @Test("the peer's credentials are its process's, for a pair and for a connection")
    func tells() throws {
        let pair = try UnixStream.pair()
        #expect(try pair.first.peerCredentials() == own)
        let datagrams = try UnixDatagram.pair()
        #expect(try datagrams.first.peerCredentials() == own)
        let address = UnixAddress.unique()
        let listener = try UnixListener(binding: address)
        let client = try UnixStream(connectingTo: address)
        let accepted = try listener.next()
        #expect(try client.peerCredentials() == own)
        #expect(try accepted.stream.peerCredentials() == own)
    }

    @Test("the peer's groups are its process's")
    func tellsGroups() throws {
        let pair = try UnixStream.pair()
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = unsafe getgroups(Int32(groups.count), &groups)
        #expect(try pair.first.peerGroups().sorted() == groups.prefix(Int(count)).sorted())
    }

    @Test("any number of groups is reported")
    func tellsManyGroups() async {
        await #expect(processExitsWith: .success) {
            guard geteuid() == 0 else { return }
            let groups = (0..<300).map { gid_t(1000 + $0) }
            try #require(unsafe setgroups(groups.count, groups) == 0)
            let pair = try UnixStream.pair()
            #expect(try pair.first.peerGroups().sorted() == groups)
        }
    }

    @Test("the peer's process is a close-on-exec pidfd of that process")
    func tellsProcess() throws {
        let pair = try UnixStream.pair()
        do throws(Errno) {
            let process = try pair.first.peerProcess()
            #expect(process.fileDescriptor.closesOnExec)
            #expect(processID(of: process.fileDescriptor) == getpid())
        } catch {
            // Before Linux 6.5.
            #expect(error == .protocolNotAvailable)
        }
    }

    @Test("each receive reports the sender only to a receiver that asked for it")
    func receives() throws {
        let pair = try UnixStream.pair()
        var ancillary = AncillaryData()
        #expect(try !pair.second.receivesCredentials())
        #expect(try pair.first.send([1].span, passing: [.standardError]) == 1)
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(ancillary.credentials == nil && ancillary.descriptorCount == 1)

        try pair.second.setReceivesCredentials(true)
        #expect(try pair.second.receivesCredentials())
        #expect(try pair.first.write([2].span) == 1)
        #expect(try receive(from: pair.second, into: &ancillary) == [2])
        #expect(ancillary.credentials == own && ancillary.descriptorCount == 0)
        #expect(try pair.first.send([3].span, passing: [.standardError]) == 1)
        #expect(try receive(from: pair.second, into: &ancillary) == [3])
        #expect(ancillary.credentials == own && ancillary.descriptorCount == 1)
        ancillary.removeAll()
        #expect(ancillary.credentials == nil)
    }

    @Test("end of file has no credentials, and an empty datagram does")
    func endsWithoutCredentials() throws {
        let pair = try UnixStream.pair()
        try pair.second.setReceivesCredentials(true)
        #expect(try pair.first.write([1].span) == 1)
        try pair.first.shutdown(.write)
        var ancillary = AncillaryData()
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(ancillary.credentials == own)
        for _ in 0..<2 {
            #expect(try receive(from: pair.second, into: &ancillary) == [])
            #expect(ancillary.credentials == nil)
            var buffer: [UInt8] = [0]
            #expect(try pair.second.receive(into: buffer.mutableSpan, ancillary: &ancillary) == 0)
            #expect(ancillary.credentials == nil)
        }
        let datagrams = try UnixDatagram.pair()
        try datagrams.second.setReceivesCredentials(true)
        #expect(try datagrams.first.send(Span()) == 0)
        #expect(try receive(from: datagrams.second, into: &ancillary) == [])
        #expect(ancillary.credentials == own)
    }

    @Test("bytes and credentials are sent without descriptors")
    func sendsWithoutDescriptors() throws {
        let pair = try UnixStream.pair()
        try pair.second.setReceivesCredentials(true)
        var ancillary = AncillaryData()
        #expect(try pair.first.send(Span()) == 0)
        #expect(try pair.first.send([1].span) == 1)
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(try pair.first.send([2].span, credentials: own) == 1)
        #expect(ancillary.credentials == own && ancillary.descriptorCount == 0)
        #expect(try receive(from: pair.second, into: &ancillary) == [2])
        #expect(ancillary.credentials == own && ancillary.descriptorCount == 0)
        let datagrams = try UnixDatagram.pair()
        #expect(try datagrams.first.send([3].span) == 1)
        #expect(try datagrams.first.send([4].span, credentials: own) == 1)
        for byte in [3, 4] as [UInt8] {
            #expect(try receive(from: datagrams.second, into: &ancillary) == [byte])
        }
    }

    @Test("credentials fit beside as many descriptors as were asked for")
    func hasRoom() throws {
        let pair = try UnixStream.pair()
        try pair.second.setReceivesCredentials(true)
        for count in [0, 1, 2, 7, 253] {
            let passed = [FileDescriptor](repeating: .standardError, count: count)
            #expect(try pair.first.send([1].span, passing: passed, credentials: own) == 1)
            var ancillary = AncillaryData(descriptorCapacity: count)
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            #expect(ancillary.credentials == own)
            #expect(ancillary.descriptorCount == count && !ancillary.isTruncated)
        }
    }

    @Test("datagrams report their sender as well")
    func receivesDatagrams() throws {
        let pair = try UnixDatagram.pair()
        try pair.second.setReceivesCredentials(true)
        #expect(try pair.first.send([1].span) == 1)
        var ancillary = AncillaryData()
        #expect(try receive(from: pair.second, into: &ancillary) == [1])
        #expect(ancillary.credentials == own)
    }

    @Test("sending one's own credentials works, and false ones fail with `notPermitted`")
    func refusesLies() async {
        await #expect(processExitsWith: .success) {
            try #require(ctest_become_nobody() == 0)
            let pair = try UnixStream.pair()
            try pair.second.setReceivesCredentials(true)
            #expect(try pair.first.send([1].span, credentials: own) == 1)
            let lies = [
                PeerCredentials(processID: getpid(), userID: 0, groupID: getegid()),
                PeerCredentials(processID: getpid(), userID: geteuid(), groupID: 0),
                PeerCredentials(processID: 1, userID: geteuid(), groupID: getegid()),
            ]
            for lie in lies {
                #expect(throws: Errno.notPermitted) {
                    _ = try pair.first.send([2].span, credentials: lie)
                }
            }
            var ancillary = AncillaryData()
            #expect(try receive(from: pair.second, into: &ancillary) == [1])
            #expect(ancillary.credentials == own)
        }
    }
}

private var own: PeerCredentials {
    PeerCredentials(processID: getpid(), userID: geteuid(), groupID: getegid())
}

/// Returns the process ID of a pidfd from proc(5).
private func processID(of pidfd: FileDescriptor) -> Int32? {
    let path = "/proc/self/fdinfo/\(pidfd.rawValue)"
    let lines = try? String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let line = lines?.first { $0.hasPrefix("Pid:") }
    return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
}
#endif
