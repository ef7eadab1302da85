import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncUDPSocket", .timeLimit(.minutes(1)))
struct AsyncUDPSocketTests {
    @Test("a datagram arrives whole with its sender's address", arguments: Place.allCases)
    func receives(place: Place) async throws {
        try await place.run { executor in
            let first = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let second = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let (sender, address) = try (first.socket.localAddress(), second.socket.localAddress())
            for size in [0, 1, 1400, 60_000] {
                let bytes = [UInt8].noise(size)
                try await first.send(bytes.span, to: address)
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let received = try await second.receiveFrom(into: buffer.mutableSpan)
                #expect(received.byteCount == size && received.sender == sender)
                #expect(Array(buffer.prefix(size)) == bytes)
            }
        }
    }

    @Test("a receive waits for a datagram", arguments: Place.allCases)
    func waits(place: Place) async throws {
        try await place.run { executor in
            let first = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let second = Shared(try AsyncUDPSocket(binding: .loopback(port: 0), on: executor))
            let address = try second.value.socket.localAddress()
            for round in 0..<20 {
                let task = Task(executorPreference: place.preference(executor)) {
                    var buffer = [UInt8](repeating: 0, count: 100)
                    let count = try await second.value.receive(into: buffer.mutableSpan)
                    return Array(buffer.prefix(count)).text
                }
                await letOthersWait()
                try await first.send(Array("\(round)".utf8).span, to: address)
                #expect(try await task.value == "\(round)")
            }
        }
    }

    @Test("receives and peeks end at their deadlines or when canceled", arguments: Place.allCases)
    func ends(place: Place) async throws {
        try await place.run { executor in
            let socket = Shared(try AsyncUDPSocket(binding: .loopback(port: 0), on: executor))
            await socket.value.expectDeadline { socket, deadline in
                var buffer: [UInt8] = [0]
                _ = try await socket.receive(into: buffer.mutableSpan, until: deadline)
            }
            await socket.value.expectDeadline { socket, deadline in
                var buffer: [UInt8] = [0]
                _ = try await socket.peekFrom(into: buffer.mutableSpan, until: deadline)
            }
            let task = Task(executorPreference: place.preference(executor)) {
                var buffer: [UInt8] = [0]
                _ = try await socket.value.receiveFrom(into: buffer.mutableSpan)
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
        }
    }

    @Test("a peek sees the datagram that the next receive returns", arguments: Place.allCases)
    func peeks(place: Place) async throws {
        try await place.run { executor in
            let first = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let second = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let (sender, address) = try (first.socket.localAddress(), second.socket.localAddress())
            try await first.send([7, 8].span, to: address)
            var buffer: [UInt8] = [0]
            #expect(try await second.peek(into: buffer.mutableSpan) == 2)
            let peeked = try await second.peekFrom(into: buffer.mutableSpan)
            #expect(peeked.byteCount == 2 && peeked.sender == sender)
            // A datagram that does not fit is cut, and its length shows it.
            #expect(try await second.receive(into: buffer.mutableSpan) == 2 && buffer == [7])
            await second.expectDeadline { socket, deadline in
                try await socket.readable(until: deadline)
            }
        }
    }

    @Test("a connected socket sends without an address and learns that nobody listens")
    func isConnected() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let first = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
                let second = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
                let address = try second.socket.localAddress()
                await #expect(throws: Errno.addressRequired) { try await first.send([1].span) }
                try first.socket.connect(to: address)
                try await first.send([1].span)
                var buffer: [UInt8] = [0]
                #expect(try await second.receive(into: buffer.mutableSpan) == 1)

                try first.socket.connect(to: refusingAddress())
                try await first.send([1].span)
                await #expect(throws: Errno.connectionRefused) {
                    var buffer: [UInt8] = [0]
                    _ = try await first.receive(into: buffer.mutableSpan)
                }
            }
        }
    }

    @Test("a datagram that is too large is refused")
    func isTooLarge() async throws {
        try await withExecutor { executor in
            let socket = try AsyncUDPSocket(binding: .loopback(port: 0), on: executor)
            let address = try socket.socket.localAddress()
            await #expect(throws: Errno.messageTooLong) {
                try await socket.send([UInt8].noise(70_000).span, to: address)
            }
            try await socket.writable()
        }
    }

    @Test("one task may receive while another sends", arguments: Place.allCases)
    func isFullDuplex(place: Place) async throws {
        try await place.run { executor in
            let socket = Shared(try AsyncUDPSocket(binding: .loopback(port: 0), on: executor))
            let address = try socket.value.socket.localAddress()
            let receiver = Task(executorPreference: place.preference(executor)) {
                var buffer: [UInt8] = [0]
                var received: [UInt8] = []
                while received.last != 99 {
                    _ = try await socket.value.receive(into: buffer.mutableSpan)
                    received.append(buffer[0])
                }
                return received
            }
            for number in 0..<UInt8(100) { try await socket.value.send([number].span, to: address) }
            #expect(try await receiver.value == Array(0..<100))
        }
    }
}
