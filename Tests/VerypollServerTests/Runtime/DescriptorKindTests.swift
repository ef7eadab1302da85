import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("DescriptorKind")
struct DescriptorKindTests {
    private typealias Identity = DescriptorKind.PipeIdentity

    private let pipe = Identity(device: 1, inode: 2)
    private let other = Identity(device: 1, inode: 3)

    private func record(piped: UInt32?) -> SessionRecord {
        var record = SessionFileTests.proxied
        record.server = SessionRecord.End(kind: .unix, marks: [])
        record.toServer.piped = nil
        record.toClient.piped = piped
        return record
    }

    @Test("a session's descriptors must match its record, in the record's order")
    func comparesKinds() {
        let plain = record(piped: nil)
        #expect(plain.describes([.tcp, .unix]))
        #expect(!plain.describes([.unix, .tcp]))
        #expect(!plain.describes([.tcp]))
        #expect(!plain.describes([.tcp, .other]))
        #expect(!plain.describes([.tcp, .unix, .pipeSender(pipe)]))
        var vsock = record(piped: nil)
        vsock.client.kind = .vsock
        #expect(vsock.describes([.vsock, .unix]))
        #expect(!vsock.describes([.tcp, .unix]))
    }

    @Test("a pipe must have both of its ends, and as many bytes as the record says")
    func comparesPipes() {
        let piped = record(piped: 10)
        let sockets: [DescriptorKind] = [.tcp, .unix]
        let receiver = DescriptorKind.pipeReceiver(pipe, byteCount: 10)
        #expect(piped.describes(sockets + [.pipeSender(pipe), receiver]))
        #expect(!piped.describes(sockets + [.pipeSender(other), receiver]))
        #expect(!piped.describes(sockets + [receiver, .pipeSender(pipe)]))
        #expect(!piped.describes(sockets + [receiver, receiver]))
        let empty = DescriptorKind.pipeReceiver(pipe, byteCount: 0)
        #expect(!piped.describes(sockets + [.pipeSender(pipe), empty]))
    }

    @Test("the kind of a descriptor is read from the kernel")
    func asksKernel() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        let stream = try TCPStream(connectingTo: listener.localAddress())
        let pair = try UnixStream.pair()
        #expect(DescriptorKind(listener.fileDescriptor) == .other)
        #expect(DescriptorKind(stream.fileDescriptor) == .tcp)
        #expect(DescriptorKind(pair.first.fileDescriptor) == .unix)
        #expect(DescriptorKind(try UDPSocket(binding: .loopback(port: 0)).fileDescriptor) == .other)
        #expect(DescriptorKind(FileDescriptor(rawValue: -1)) == .other)

        let pipe = try UnixPipe()
        #expect(try pipe.sender.write([1, 2, 3].span) == 3)
        guard case .pipeSender(let one) = DescriptorKind(pipe.sender.fileDescriptor),
            case .pipeReceiver(let two, byteCount: 3) = DescriptorKind(pipe.receiver.fileDescriptor)
        else { throw Errno.invalidArgument }
        #expect(one == two)
    }

    private func receiverWithoutSender() throws -> OwnedFD {
        let pipe = try UnixPipe()
        return pipe.receiver.release()
    }

    @Test("draining a pipe that lacks recorded bytes fails")
    func failsWhereBytesAreLost() throws {
        let pipe = try UnixPipe()
        var splicePipe = try SplicePipe(
            adopting: pipe.sender.release(),
            receiverWithoutSender(),
            count: 10
        )
        let pair = try SocketPair(.unix)
        #expect(throws: Errno.ioError) { try splicePipe.drain(to: pair.near) }
    }
}
