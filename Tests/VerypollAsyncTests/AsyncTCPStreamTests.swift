import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncTCPStream", .timeLimit(.minutes(1)))
struct AsyncTCPStreamTests {
    @Test("bytes arrive whole and in order", arguments: Place.allCases, [1, 4096, 3 << 20])
    func transfers(place: Place, count: Int) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let halves = pair.client.split()
            let server = pair.server.split()
            let bytes = [UInt8].noise(count)
            async let sent: Void = halves.writer.writeAll(bytes)
            let received = try await server.reader.read(exactly: count, step: 10_000)
            try await sent
            #expect(received == bytes)
        }
    }

    @Test("both ends may be on different executors", arguments: Place.allCases)
    func spansExecutors(place: Place) async throws {
        try await place.run { executor in
            try await withExecutor { other in
                let pair = try await TCPPair(on: executor, serverOn: other)
                for round in 0..<50 {
                    let bytes = [UInt8].noise(100, at: round)
                    try await pair.client.writeAll(bytes)
                    #expect(try await pair.server.read(exactly: 100) == bytes)
                    try await pair.server.writeAll(bytes)
                    #expect(try await pair.client.read(exactly: 100) == bytes)
                }
            }
        }
    }

    @Test("a connect over IPv6 has the right addresses")
    func connectsOverIPv6() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(.v6, on: executor)
            let (peer, local) = try (
                pair.server.socket.peerAddress(), pair.client.socket.localAddress()
            )
            #expect(peer == local && local.ip == .loopback(.v6))
        }
    }

    @Test("a connect to a port without a listener is refused", arguments: Place.allCases)
    func isRefused(place: Place) async throws {
        try await place.run { executor in
            let address = try refusingAddress()
            await #expect(throws: Errno.connectionRefused) {
                _ = try await AsyncTCPStream.connect(to: address, on: executor)
            }
        }
    }

    @Test("a connect without an answer ends at its deadline", arguments: Place.allCases)
    func connectEnds(place: Place) async throws {
        try await place.run { executor in
            let blackhole = try await Blackhole(on: executor)
            let deadline = Deadline.now + .milliseconds(5)
            await #expect(throws: Errno.deadlineExceeded) {
                _ = try await AsyncTCPStream.connect(
                    to: blackhole.address,
                    on: executor,
                    until: deadline
                )
            }
            #expect(Deadline.now >= deadline)
            try await blackhole.expectNoPendingConnect()
        }
    }

    @Test("a connect without an answer can be canceled", arguments: Place.allCases)
    func connectIsCanceled(place: Place) async throws {
        try await place.run { executor in
            let blackhole = try await Blackhole(on: executor)
            let address = blackhole.address
            let task = Task(executorPreference: place.preference(executor)) {
                _ = try await AsyncTCPStream.connect(to: address, on: executor)
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
            try await blackhole.expectNoPendingConnect()
        }
    }

    @Test("a read waits for bytes until its deadline, and the stream stays usable")
    func readEnds() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                await pair.server.expectDeadline { stream, deadline in
                    _ = try await stream.readOnce(until: deadline)
                }
                try await pair.client.writeAll("late")
                #expect(try await pair.server.readOnce().text == "late")
            }
        }
    }

    @Test("a canceled read throws, and the stream stays usable", arguments: Place.allCases)
    func readIsCanceled(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let client = Shared(pair.client)
            let server = Shared(pair.server)
            for _ in 0..<20 {
                let task = Task(executorPreference: place.preference(executor)) {
                    try await server.value.readOnce()
                }
                await letOthersWait()
                task.cancel()
                await #expect(throws: Errno.canceled) { _ = try await task.value }
                try await client.value.writeAll("next")
                #expect(try await server.value.readOnce().text == "next")
            }
        }
    }

    @Test("a write that finds no room waits until the peer reads", arguments: Place.allCases)
    func writeWaits(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            try pair.client.socket.setSendBufferSize(65_536)
            try pair.server.socket.setReceiveBufferSize(65_536)
            let client = Shared(pair.client)
            let server = Shared(pair.server)
            for _ in 0..<5 {
                let filled = try await client.value.fill()
                let task = Task(executorPreference: place.preference(executor)) {
                    try await client.value.writeAll("end")
                }
                await letOthersWait()
                let received = try await server.value.read(exactly: filled + 3)
                try await task.value
                #expect(received.count == filled + 3 && received.suffix(3) == [101, 110, 100])
            }
        }
    }

    @Test("a write that finds no room ends at its deadline", arguments: Place.allCases)
    func writeEnds(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let bytes = [UInt8].noise(65_536)
            var written = 0
            await pair.client.expectDeadline { stream, deadline in
                while true { written += try await stream.write(bytes.span, until: deadline) }
            }
            #expect(try await pair.server.read(exactly: written).count == written)
            try await pair.client.writeAll("y")
            #expect(try await pair.server.readOnce().text == "y")
        }
    }

    @Test("a write of no bytes returns 0")
    func writesNothing() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            #expect(try await pair.client.write(Span()) == 0)
            #expect(try await pair.client.write(Span(), Span()) == 0)
            try await pair.client.writeAll(Span())
            try await pair.client.writeAll(Span(), Span())
        }
    }

    @Test("several spans are written whole, in order, though the kernel accepts only parts")
    func writesParts() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                try pair.client.socket.setSendBufferSize(1)
                let sizes = [
                    [0, 70_000, 0, 5], [1, 1, 1, 1], [9000, 0, 30_000, 77], [40_000, 3],
                ]
                let client = Shared(pair.client)
                for sizes in sizes {
                    let parts = sizes.enumerated().map { [UInt8].noise($1, at: $0 * 1000) }
                    let sent = Task(executorPreference: place.preference(executor)) {
                        try await client.value.writeAll(parts: parts)
                    }
                    let total = sizes.reduce(0, +)
                    let received = try await pair.server.read(exactly: total, step: 1777)
                    try await sent.value
                    #expect(received == Array(parts.joined()))
                }
            }
        }
    }

    @Test("a write of several spans returns how many bytes the kernel accepted")
    func writesSome() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            try pair.client.socket.setSendBufferSize(1)
            let (first, second) = ([UInt8].noise(3), [UInt8].noise(2 << 20, at: 3))
            let count = try await pair.client.write(first.span, second.span)
            #expect(count > 3 && count < second.count)
            #expect(try await pair.server.read(exactly: count) == .noise(count))
        }
    }

    @Test("one task may read while another writes", arguments: Place.allCases)
    func isFullDuplex(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            let client = Shared(pair.client)
            let server = Shared(pair.server)
            let echo = Task(executorPreference: place.preference(executor)) {
                try await server.value.writeAll(try await server.value.read(exactly: 300_000))
            }
            let bytes = [UInt8].noise(300_000)
            let sent = Task(executorPreference: place.preference(executor)) {
                try await client.value.writeAll(bytes)
            }
            #expect(try await client.value.read(exactly: bytes.count) == bytes)
            try await sent.value
            try await echo.value
        }
    }

    @Test("a write to a connection that the peer has closed fails")
    func isBroken() async throws {
        try await withExecutor { executor in
            let pair = try await ClientPair(on: executor)
            let server = Shared(pair.server)
            try pair.client.reset()
            try await server.value.readable()
            await #expect(throws: Errno.connectionReset) {
                _ = try await server.value.readOnce()
            }
            await #expect(throws: Errno.brokenPipe) { try await server.value.writeAll("x") }
        }
    }

    @Test("a reset ends a read that waits", arguments: Place.allCases)
    func isReset(place: Place) async throws {
        try await place.run { executor in
            let pair = try await ClientPair(on: executor)
            let server = Shared(pair.server)
            let task = Task(executorPreference: place.preference(executor)) {
                try await server.value.readOnce()
            }
            await letOthersWait()
            try pair.client.reset()
            await #expect(throws: Errno.connectionReset) { _ = try await task.value }
        }
    }

    @Test("a reset ends a write that waits", arguments: Place.allCases)
    func writeIsReset(place: Place) async throws {
        try await place.run { executor in
            let pair = try await ClientPair(on: executor)
            let server = Shared(pair.server)
            let task = Task(executorPreference: place.preference(executor)) {
                try await server.value.writeAll([UInt8](repeating: 0, count: 32 << 20))
            }
            await letOthersWait()
            try pair.client.reset()
            await #expect(throws: Errno.connectionReset) { try await task.value }
        }
    }

    @Test("the peer sees the end of the stream after a shutdown, and may still answer")
    func shutsDown() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            try await pair.client.writeAll("question")
            try pair.client.shutdown(.write)
            #expect(try await pair.server.readToEnd().text == "question")
            try await pair.server.writeAll("answer")
            #expect(try await pair.client.readOnce().text == "answer")
        }
    }

    @Test("a stream that goes out of scope is closed")
    func closes() async throws {
        try await withExecutor { executor in
            let pair = try await TCPPair(on: executor)
            let client = pair.client
            func drop(_: consuming AsyncTCPStream) {}
            drop(pair.server)
            #expect(try await client.readToEnd() == [])
        }
    }

    @Test("at the limit of sources, a socket is closed and `tooManyOpenFiles` thrown")
    func isLimited() async throws {
        try await Place.executor.run(sourceLimit: 1) { executor in
            let plain = try TCPListener(binding: .loopback(port: 0))
            let client = try Client(port: plain.localAddress().port)
            let listener = try AsyncTCPListener(plain, on: executor)
            await #expect(throws: Errno.tooManyOpenFiles) { _ = try await listener.accept() }
            #expect(try client.receiveToEnd() == [])
            await #expect(throws: Errno.tooManyOpenFiles) {
                _ = try await AsyncTCPStream.connect(
                    to: listener.socket.localAddress(),
                    on: executor
                )
            }
        }
    }
}
