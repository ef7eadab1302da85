#if OSPoll && OSExt && Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("Inherited descriptors")
struct CloseOnExecTests {
    @Test("child programs inherit no descriptor that the library makes")
    func closesOnExec() async {
        await #expect(processExitsWith: .success) {
            let before = try inheritedDescriptors()
            let made = try openDescriptors().count
            var poll = try Poll()
            let clone = try poll.registry.clone()
            let waker = try Waker(registry: clone, token: Token(0))

            let listener = try TCPListener(binding: .loopback(port: 0))
            let client = try TCPStream(connectingTo: listener.localAddress())
            let accepted = try listener.next()
            let socket = try UDPSocket(binding: .loopback(port: 0))

            let address = UnixAddress.unique()
            let unixListener = try UnixListener(binding: address)
            let unixClient = try UnixStream(connectingTo: address)
            let unixAccepted = try unixListener.next()
            let streams = try UnixStream.pair()
            let datagrams = try UnixDatagram.pair()
            let datagram = try UnixDatagram()
            let duplicate = try datagram.release().duplicate()

            let pipe = try UnixPipe()
            let timer = try TimerSource()
            let signals = try SignalSource(blocking: [.user1])
            let process = try ProcessSource(processID: getppid())
            let peer = try? streams.first.peerProcess()

            var ancillary = AncillaryData()
            #expect(try streams.first.send([1].span, passing: [.standardError]) == 1)
            #expect(try receive(from: streams.second, into: &ancillary) == [1])
            #expect(ancillary.descriptorCount == 1)

            // The lines above make at least this many; the selector may need more of its own.
            #expect(try openDescriptors().count - made >= 20)
            #expect(try inheritedDescriptors() == before)

            #expect(try pendingEvents(in: &poll).isEmpty)
            withExtendedLifetime((waker, client.fileDescriptor, accepted.peer)) {}
            withExtendedLifetime((socket.fileDescriptor, unixClient.fileDescriptor)) {}
            withExtendedLifetime((unixAccepted.peer, datagrams.first.fileDescriptor)) {}
            withExtendedLifetime((duplicate.fileDescriptor, pipe.sender.fileDescriptor)) {}
            withExtendedLifetime((timer.fileDescriptor, signals.fileDescriptor)) {}
            withExtendedLifetime((process.fileDescriptor, peer == nil)) {}
        }
    }
}

/// Returns the descriptors that a program executed by this process would inherit.
private func inheritedDescriptors() throws -> Set<Int32> {
    try openDescriptors().filter { !FileDescriptor(rawValue: $0).closesOnExec }
}
#endif
