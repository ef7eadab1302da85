import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncUnixDatagram", .timeLimit(.minutes(1)))
struct AsyncUnixDatagramTests {
    @Test("a datagram arrives whole with its sender's address", arguments: Place.allCases)
    func receives(place: Place) async throws {
        try await place.run { executor in
            let (sender, address) = (UnixAddress.unique(), UnixAddress.unique())
            let first = try AsyncUnixDatagram(binding: sender, on: executor)
            let second = try AsyncUnixDatagram(binding: address, on: executor)
            for size in [0, 1, 5000] {
                let bytes = [UInt8].noise(size)
                try await first.send(bytes.span, to: address)
                var buffer = [UInt8](repeating: 0, count: 8192)
                let peeked = try await second.peekFrom(into: buffer.mutableSpan)
                #expect(peeked.byteCount == size && peeked.sender == sender)
                let received = try await second.receiveFrom(into: buffer.mutableSpan)
                #expect(received == peeked && Array(buffer.prefix(size)) == bytes)
            }
        }
    }

    @Test("a receive waits until its deadline or until its task is canceled")
    func waits() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let address = UnixAddress.unique()
                let sender = try AsyncUnixDatagram(UnixDatagram(), on: executor)
                let receiver = Shared(try AsyncUnixDatagram(binding: address, on: executor))
                await receiver.value.expectDeadline { socket, deadline in
                    var buffer: [UInt8] = [0]
                    _ = try await socket.receiveFrom(into: buffer.mutableSpan, until: deadline)
                }
                let canceled = Task(executorPreference: place.preference(executor)) {
                    var buffer: [UInt8] = [0]
                    _ = try await receiver.value.receive(into: buffer.mutableSpan)
                }
                await letOthersWait()
                canceled.cancel()
                await #expect(throws: Errno.canceled) { try await canceled.value }
                let task = Task(executorPreference: place.preference(executor)) {
                    var buffer: [UInt8] = [0]
                    return try await receiver.value.receiveFrom(into: buffer.mutableSpan)
                }
                await letOthersWait()
                try await sender.send([5].span, to: address)
                let received = try await task.value
                #expect(received.byteCount == 1 && received.sender == .unnamed)
            }
        }
    }

    @Test("a send waits while the receiver's queue is full", arguments: Place.allCases)
    func sendWaits(place: Place) async throws {
        try await place.run { executor in
            let address = UnixAddress.unique()
            let receiver = try AsyncUnixDatagram(binding: address, on: executor)
            let sender = Shared(try AsyncUnixDatagram(UnixDatagram(), on: executor))
            var sent = 0
            while try sender.value.socket.send([0].span, to: address) != nil { sent += 1 }
            await sender.value.expectDeadline { sender, deadline in
                try await sender.send([1].span, to: address, until: deadline)
            }
            let task = Task(executorPreference: place.preference(executor)) {
                try await sender.value.send([1].span, to: address)
            }
            await letOthersWait()
            try await expect(sent, then: 1, at: receiver)
            try await task.value
        }
    }

    @Test("a send of a connected socket waits while the receiver's queue is full")
    func connectedSendWaits() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let address = UnixAddress.unique()
                let receiver = try AsyncUnixDatagram(binding: address, on: executor)
                let sender = Shared(try AsyncUnixDatagram(UnixDatagram(), on: executor))
                try sender.value.socket.connect(to: address)
                for _ in 0..<3 {
                    var sent = 0
                    while try sender.value.socket.send([0].span) != nil { sent += 1 }
                    await sender.value.expectDeadline { sender, deadline in
                        try await sender.send([1].span, until: deadline)
                    }
                    let task = Task(executorPreference: place.preference(executor)) {
                        try await sender.value.send([1].span)
                    }
                    await letOthersWait()
                    try await expect(sent, then: 1, at: receiver)
                    try await task.value
                }
            }
        }
    }

    @Test("descriptors and credentials arrive with their datagram", arguments: Place.allCases)
    func passesDescriptors(place: Place) async throws {
        try await place.run { executor in
            let address = UnixAddress.unique()
            let receiver = try AsyncUnixDatagram(binding: address, on: executor)
            try receiver.socket.setReceivesCredentials(true)
            let sender = try AsyncUnixDatagram(UnixDatagram(), on: executor)
            let own = PeerCredentials(processID: getpid(), userID: getuid(), groupID: getgid())
            try await sender.send([1].span, to: address, passing: [.standardError])
            try sender.socket.connect(to: address)
            try await sender.send([2, 3].span, passing: [.standardError, .standardError])
            try await sender.send([4].span, passing: [], credentials: own)
            for (length, descriptors) in [(1, 1), (2, 2), (1, 0)] {
                var ancillary = AncillaryData()
                var buffer = [UInt8](repeating: 0, count: 10)
                let count = try await receiver.receive(
                    into: buffer.mutableSpan,
                    ancillary: &ancillary
                )
                #expect(count == length)
                let (passed, credentials) = (ancillary.descriptorCount, ancillary.credentials)
                #expect(passed == descriptors && credentials == own)
            }
        }
    }

    @Test("a send to an address without a socket is refused")
    func isRefused() async throws {
        try await withExecutor { executor in
            let sender = try AsyncUnixDatagram(UnixDatagram(), on: executor)
            await #expect(throws: Errno.connectionRefused) {
                try await sender.send([1].span, to: .unique())
            }
        }
    }

    /// Receives `count` datagrams, and the one with the byte `last`.
    private func expect(
        _ count: Int,
        then last: UInt8,
        at receiver: borrowing AsyncUnixDatagram
    ) async throws {
        var buffer: [UInt8] = [9]
        for _ in 0..<count {
            #expect(try await receiver.receive(into: buffer.mutableSpan) == 1 && buffer == [0])
        }
        #expect(try await receiver.receive(into: buffer.mutableSpan) == 1 && buffer == [last])
    }
}
