import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncUnixStream", .timeLimit(.minutes(1)))
struct AsyncUnixStreamTests {
    @Test("bytes arrive whole and in order", arguments: Place.allCases)
    func transfers(place: Place) async throws {
        try await place.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let first = Shared(pair.first)
            let bytes = [UInt8].noise(3 << 20)
            let sent = Task(executorPreference: place.preference(executor)) {
                try await first.value.writeAll(bytes)
            }
            let received = try await pair.second.read(exactly: bytes.count, step: 9999)
            try await sent.value
            #expect(received == bytes)
        }
    }

    @Test("several spans are written whole, though the kernel accepts only parts")
    func writesParts() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try AsyncUnixStream.pair(on: executor)
                try pair.first.socket.setSendBufferSize(1)
                let first = Shared(pair.first)
                for sizes in [[0, 20_000, 0, 3], [5000, 5000, 5000, 5000], [1, 30_000]] {
                    let parts = sizes.enumerated().map { [UInt8].noise($1, at: $0 * 1000) }
                    let sent = Task(executorPreference: place.preference(executor)) {
                        try await first.value.writeAll(parts: parts)
                    }
                    let total = sizes.reduce(0, +)
                    let received = try await pair.second.read(exactly: total, step: 700)
                    try await sent.value
                    #expect(received == Array(parts.joined()))
                }
            }
        }
    }

    @Test("reads, peeks and writes end at their deadlines, and the stream stays usable")
    func ends() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try AsyncUnixStream.pair(on: executor)
                await pair.second.expectDeadline { stream, deadline in
                    _ = try await stream.readOnce(until: deadline)
                }
                await pair.second.expectDeadline { stream, deadline in
                    var buffer: [UInt8] = [0]
                    _ = try await stream.peek(into: buffer.mutableSpan, until: deadline)
                }
                let filled = try await pair.first.fill()
                await pair.first.expectDeadline { stream, deadline in
                    try await stream.writeAll("x", until: deadline)
                }
                await pair.first.expectDeadline { stream, deadline in
                    try await stream.writable(until: deadline)
                }
                #expect(try await pair.second.read(exactly: filled).count == filled)
                try await pair.first.writeAll("y")
                var buffer: [UInt8] = [0]
                #expect(try await pair.second.peek(into: buffer.mutableSpan) == 1)
                #expect(try await pair.second.readOnce().text == "y")
            }
        }
    }

    @Test("the end of the stream is read after the last bytes", arguments: Place.allCases)
    func readsToEnd(place: Place) async throws {
        try await place.run { executor in
            for count in 1...100 {
                let pair = try AsyncUnixStream.pair(on: executor)
                let first = Shared(pair.first)
                let task = Task(executorPreference: place.preference(executor)) {
                    try await first.value.writeAll([UInt8].noise(count))
                    try first.value.shutdown(.write)
                }
                #expect(try await pair.second.readToEnd() == .noise(count))
                try await task.value
            }
        }
    }

    @Test("descriptors arrive with the bytes they were sent with", arguments: Place.allCases)
    func passesDescriptors(place: Place) async throws {
        try await place.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let second = Shared(pair.second)
            let task = Task(executorPreference: place.preference(executor)) {
                var numbers: [String] = []
                var ancillary = AncillaryData()
                var buffer = [UInt8](repeating: 0, count: 100)
                while numbers.count < 3 {
                    let count = try await second.value.receive(
                        into: buffer.mutableSpan,
                        ancillary: &ancillary
                    )
                    while let descriptor = ancillary.takeDescriptor() {
                        let receiver = try AsyncPipe.Receiver(
                            UnixPipe.Receiver(adopting: descriptor),
                            on: executor
                        )
                        let name = Array(buffer.prefix(count)).text
                        numbers.append("\(name): \(try await receiver.readToEnd().text)")
                    }
                }
                return numbers
            }
            for name in ["a", "b", "c"] {
                let pipe = try AsyncPipe(on: executor)
                try await pipe.sender.writeAll("pipe \(name)")
                let number = pipe.receiver.end.fileDescriptor
                #expect(try await pair.first.send(Array(name.utf8).span, passing: [number]) == 1)
            }
            #expect(try await task.value == ["a: pipe a", "b: pipe b", "c: pipe c"])
        }
    }

    @Test("a read does not wait after it has stopped at passed descriptors")
    func readsPastDescriptors() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try AsyncUnixStream.pair(on: executor)
                try await pair.first.writeAll("ab")
                _ = try await pair.first.send([0x63].span, passing: [.standardError])
                try await pair.first.writeAll("de")
                var received: [UInt8] = []
                while received.count < 5 { received += try await pair.second.readOnce() }
                #expect(received.text == "abcde")
            }
        }
    }

    @Test("a send that passes descriptors waits for room", arguments: Place.allCases)
    func sendWaits(place: Place) async throws {
        try await place.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let first = Shared(pair.first)
            let filled = try await first.value.fill()
            await first.value.expectDeadline { stream, deadline in
                _ = try await stream.send([1].span, passing: [.standardError], until: deadline)
            }
            let task = Task(executorPreference: place.preference(executor)) {
                try await first.value.send([1].span, passing: [.standardError])
            }
            await letOthersWait()
            #expect(try await pair.second.read(exactly: filled + 1).last == 1)
            #expect(try await task.value == 1)
        }
    }

    @Test("the receiver learns the sender's credentials", arguments: Place.allCases)
    func passesCredentials(place: Place) async throws {
        try await place.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            try pair.second.socket.setReceivesCredentials(true)
            let own = PeerCredentials(processID: getpid(), userID: getuid(), groupID: getgid())
            for credentials in [own, nil] {
                let count = try await pair.first.send(
                    [1, 2].span,
                    passing: [],
                    credentials: credentials
                )
                #expect(count == 2)
                var ancillary = AncillaryData()
                var buffer = [UInt8](repeating: 0, count: 10)
                let received = try await pair.second.receive(
                    into: buffer.mutableSpan,
                    ancillary: &ancillary
                )
                #expect(received == 2)
                let sender = ancillary.credentials
                #expect(sender == own)
            }
        }
    }

    @Test("a receive of passed descriptors waits, and may be canceled", arguments: Place.allCases)
    func receiveIsCanceled(place: Place) async throws {
        try await place.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            let second = Shared(pair.second)
            await second.value.expectDeadline { stream, deadline in
                var ancillary = AncillaryData()
                var buffer: [UInt8] = [0]
                _ = try await stream.receive(
                    into: buffer.mutableSpan,
                    ancillary: &ancillary,
                    until: deadline
                )
            }
            let task = Task(executorPreference: place.preference(executor)) {
                var ancillary = AncillaryData()
                var buffer: [UInt8] = [0]
                _ = try await second.value.receive(
                    into: buffer.mutableSpan,
                    ancillary: &ancillary
                )
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
        }
    }

    @Test("a connect to an address without a listener fails at once")
    func failsToConnect() async throws {
        try await withExecutor { executor in
            let directory = try TemporaryDirectory()
            let path = FilePath(directory.appending("socket"))
            await #expect(throws: Errno.noSuchFileOrDirectory) {
                _ = try await AsyncUnixStream.connect(to: .path(path), on: executor)
            }
            let server = try Server(path: path.string, backlog: nil)
            defer { withExtendedLifetime(server.descriptor) {} }
            await #expect(throws: Errno.connectionRefused) {
                _ = try await AsyncUnixStream.connect(to: .path(path), on: executor)
            }
        }
    }

    @Test("a connect waits while the backlog is full", arguments: Place.allCases)
    func connectWaits(place: Place) async throws {
        try await place.run { executor in
            let address = UnixAddress.unique()
            let listener = try AsyncUnixListener(
                UnixListener(binding: address, backlog: 0),
                on: executor
            )
            let filler = try await AsyncUnixStream.connect(to: address, on: executor)
            let deadline = Deadline.now + .milliseconds(20)
            await #expect(throws: Errno.deadlineExceeded) {
                _ = try await AsyncUnixStream.connect(to: address, on: executor, until: deadline)
            }
            #expect(Deadline.now >= deadline)

            let task = Task(executorPreference: place.preference(executor)) {
                let stream = try await AsyncUnixStream.connect(to: address, on: executor)
                try await stream.writeAll("in")
            }
            let canceled = Task(executorPreference: place.preference(executor)) {
                _ = try await AsyncUnixStream.connect(to: address, on: executor)
            }
            await letOthersWait()
            canceled.cancel()
            await #expect(throws: Errno.canceled) { try await canceled.value }
            try await filler.writeAll("first")
            #expect(try await listener.accept().readOnce().text == "first")
            #expect(try await listener.accept().readToEnd().text == "in")
            try await task.value
        }
    }
}
