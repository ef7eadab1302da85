import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("Sources: release, and adding again", .timeLimit(.minutes(1)))
struct ReleaseTests {
    @Test("a released stream is a plain socket, and loses no bytes", arguments: Place.allCases)
    func releasesStream(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            try await pair.client.writeAll("one two ")
            #expect(try await pair.server.read(exactly: 4).text == "one ")
            let plain = pair.server.release()
            try await pair.client.writeAll("three")
            let again = try AsyncTCPStream(plain, on: executor)
            #expect(try await again.read(exactly: 9).text == "two three")
        }
    }

    @Test("a stream moves from one executor to another", arguments: Place.allCases)
    func moves(place: Place) async throws {
        try await place.run { executor in
            try await withExecutor { other in
                let pair = try await TCPPair(on: executor)
                await pair.server.expectDeadline { stream, deadline in
                    _ = try await stream.readOnce(until: deadline)
                }
                let moved = try AsyncTCPStream(pair.server.release(), on: other)
                try await pair.client.writeAll("moved")
                #expect(try await moved.readOnce().text == "moved")
            }
        }
    }

    @Test("a stream may be released and added again many times", arguments: Place.allCases)
    func movesOften(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            var plain = pair.server.release()
            for round in 0..<200 {
                let stream = try AsyncTCPStream(plain, on: executor)
                try await pair.client.writeAll("\(round) ")
                #expect(try await stream.readOnce().text == "\(round) ")
                plain = stream.release()
            }
        }
    }

    @Test("a socket that was passed to this process and got its old number can be added")
    func returns() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            let channel = try AsyncUnixStream.pair(on: executor)
            let number = pair.server.socket.fileDescriptor
            #expect(try await channel.first.send([1].span, passing: [number]) == 1)
            close(pair.server)
            var ancillary = AncillaryData()
            var buffer: [UInt8] = [0]
            #expect(
                try await channel.second.receive(
                    into: buffer.mutableSpan,
                    ancillary: &ancillary
                ) == 1
            )
            guard let passed = ancillary.takeDescriptor() else {
                throw TimedOut(waitingFor: "a descriptor")
            }
            let stream = try AsyncTCPStream(TCPStream(adopting: passed), on: executor)
            try await pair.client.writeAll("back")
            #expect(try await stream.readOnce().text == "back")
        }
    }

    @Test("all kinds of sources can be released and added again")
    func releasesAll() async throws {
        try await withExecutor { executor in
            let unix = try AsyncUnixStream.pair(on: executor)
            let first = try AsyncUnixStream(unix.first.release(), on: executor)
            try await unix.second.writeAll("unix")
            #expect(try await first.readOnce().text == "unix")

            let pipe = try AsyncPipe(on: executor)
            let sender = try AsyncPipe.Sender(pipe.sender.release(), on: executor)
            let receiver = try AsyncPipe.Receiver(pipe.receiver.release(), on: executor)
            try await sender.writeAll("pipe")
            #expect(try await receiver.readOnce().text == "pipe")

            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let address = try listener.socket.localAddress()
            let client = try await AsyncTCPStream.connect(to: address, on: executor)
            let again = try AsyncTCPListener(listener.release(), on: executor)
            let accepted = try await again.accept()
            #expect(try accepted.socket.peerAddress() == client.socket.localAddress())
        }
    }

    private func close(_: consuming AsyncTCPStream) {}
}
