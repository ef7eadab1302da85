import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

/// So long that an attempt starts only because an earlier one has failed.
private let never = Duration.seconds(3600)

@Suite("AsyncTCPStream.connect(toAnyOf:)", .timeLimit(.minutes(1)))
struct ConnectAnyTests {
    @Test("one address is like a plain connect", arguments: Place.allCases)
    func connectsToOne(place: Place) async throws {
        try await place.run { executor in
            let listener = try Target(on: executor)
            let stream = try await AsyncTCPStream.connect(
                toAnyOf: [listener.address],
                on: executor
            )
            try await listener.expectConnection(from: stream)
            let address = try refusingAddress()
            await #expect(throws: Errno.connectionRefused) {
                _ = try await AsyncTCPStream.connect(toAnyOf: [address], on: executor)
            }
        }
    }

    @Test("the next attempt starts when the stagger is over, and the first answer wins")
    func isFirst() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let blackhole = try await Blackhole(on: executor)
                let listener = try Target(on: executor)
                let start = Deadline.now
                let stream = try await AsyncTCPStream.connect(
                    toAnyOf: [blackhole.address, listener.address],
                    stagger: .milliseconds(10),
                    on: executor
                )
                #expect(Deadline.now >= start + .milliseconds(10))
                try await listener.expectConnection(from: stream)
                try await blackhole.expectNoPendingConnect()
            }
        }
    }

    @Test("an attempt that fails starts the next one at once", arguments: Place.allCases)
    func goesOn(place: Place) async throws {
        try await place.run { executor in
            let listener = try Target(on: executor)
            let refusing = try (refusingAddress(), refusingAddress())
            let stream = try await AsyncTCPStream.connect(
                toAnyOf: [refusing.0, refusing.1, listener.address],
                stagger: never,
                on: executor
            )
            try await listener.expectConnection(from: stream)
        }
    }

    @Test("a failure beside an attempt that still waits starts the next one, too")
    func goesOnBeside() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let blackhole = try await Blackhole(on: executor)
                let listener = try Target(on: executor)
                let refusing = try refusingAddress()
                // The second attempt starts after the stagger, and the third when that fails.
                let stream = try await AsyncTCPStream.connect(
                    toAnyOf: [blackhole.address, refusing, listener.address],
                    stagger: .milliseconds(10),
                    on: executor
                )
                try await listener.expectConnection(from: stream)
                try await blackhole.expectNoPendingConnect()
            }
        }
    }

    @Test("if all attempts fail, the error of the first that failed is thrown")
    func fails() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let blackhole = try await Blackhole(on: executor)
                let refusing = try refusingAddress()
                let deadline = Deadline.now + .milliseconds(20)
                await #expect(throws: Errno.connectionRefused) {
                    _ = try await AsyncTCPStream.connect(
                        toAnyOf: [refusing, blackhole.address],
                        stagger: never,
                        on: executor,
                        until: deadline
                    )
                }
                #expect(Deadline.now >= deadline)
                await #expect(throws: Errno.deadlineExceeded) {
                    _ = try await AsyncTCPStream.connect(
                        toAnyOf: [blackhole.address, refusing],
                        stagger: never,
                        on: executor,
                        until: .now + .milliseconds(5)
                    )
                }
                try await blackhole.expectNoPendingConnect()
            }
        }
    }

    @Test("an address that cannot be reached at all counts as failed", arguments: Place.allCases)
    func skipsUnreachable(place: Place) async throws {
        try await place.run { executor in
            let listener = try Target(on: executor)
            // A connect to the broadcast address fails in the call itself.
            let broadcast = SocketAddress(IPAddress(v4: 0xFFFF_FFFF), port: 9)
            let stream = try await AsyncTCPStream.connect(
                toAnyOf: [broadcast, listener.address],
                stagger: never,
                on: executor
            )
            try await listener.expectConnection(from: stream)
        }
    }

    @Test("IPv6 and IPv4 alternate, beginning with the family of the first address")
    func alternates() async throws {
        try await withExecutor { executor in
            let v4 = try Target(.v4, on: executor)
            let v6 = try Target(.v6, on: executor)
            let refusing = try (v4: refusingAddress(), v6: refusingAddress(.v6))
            // In the given order, the second address would be the first that answers.
            let first = try await AsyncTCPStream.connect(
                toAnyOf: [refusing.v4, v4.address, v6.address],
                stagger: never,
                on: executor
            )
            try await v6.expectConnection(from: first)
            let second = try await AsyncTCPStream.connect(
                toAnyOf: [refusing.v6, v6.address, v4.address],
                stagger: never,
                on: executor
            )
            try await v4.expectConnection(from: second)
            // The first family is tried first, and after the other family is used up.
            let third = try await AsyncTCPStream.connect(
                toAnyOf: [refusing.v4, refusing.v6, refusing.v4, v4.address],
                stagger: never,
                on: executor
            )
            try await v4.expectConnection(from: third)
        }
    }

    @Test("a canceled connect throws, and closes its attempts", arguments: Place.allCases)
    func isCanceled(place: Place) async throws {
        try await place.run { executor in
            let first = try await Blackhole(on: executor)
            let second = try await Blackhole(.v6, on: executor)
            let addresses = [first.address, second.address]
            let task = Task(executorPreference: place.preference(executor)) {
                _ = try await AsyncTCPStream.connect(
                    toAnyOf: addresses,
                    stagger: .zero,
                    on: executor
                )
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
            try await first.expectNoPendingConnect()
            try await second.expectNoPendingConnect()
        }
    }

    @Test("a task that was canceled before makes no use of later addresses")
    func isCanceledBefore() async throws {
        try await withExecutor { executor in
            let blackhole = try await Blackhole(on: executor)
            let address = blackhole.address
            let gate = Shared(try AsyncPipe(on: executor))
            let task = Task(executorPreference: executor) {
                _ = try? await gate.value.receiver.readOnce()
                _ = try await AsyncTCPStream.connect(
                    toAnyOf: [address, address, address],
                    on: executor
                )
            }
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
            try await blackhole.expectNoPendingConnect()
        }
    }

    @Test("of attempts that all succeed, one is returned and the others are closed")
    func closesLosers() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let targets = [Shared(try Target(on: executor)), Shared(try Target(on: executor))]
                for _ in 0..<50 {
                    let stream = try await AsyncTCPStream.connect(
                        toAnyOf: targets.map { $0.value.address },
                        stagger: .zero,
                        on: executor
                    )
                    let own = try stream.socket.localAddress()
                    var winners = 0
                    // A connection may enter the backlog a moment after the connect.
                    while winners == 0 {
                        for target in targets {
                            winners += try await target.value.acceptAll(from: own)
                        }
                        await Task.yield()
                    }
                    #expect(winners == 1)
                }
            }
        }
    }
}

/// A listener whose connections a test counts.
private struct Target: ~Copyable, Sendable {
    let listener: AsyncTCPListener
    let address: SocketAddress
    private let executor: PollExecutor

    init(_ family: IPAddress.Family = .v4, on executor: PollExecutor) throws {
        self.executor = executor
        let listener = try AsyncTCPListener(binding: .loopback(family, port: 0), on: executor)
        address = try listener.socket.localAddress()
        self.listener = listener
    }

    /// Expects that `stream` is the next connection, and that it works.
    func expectConnection(
        from stream: borrowing AsyncTCPStream,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let accepted = try await listener.accept()
        let (peer, own) = try (accepted.socket.peerAddress(), stream.socket.localAddress())
        #expect(peer == own, sourceLocation: sourceLocation)
        try await accepted.writeAll("welcome")
        #expect(try await stream.readOnce().text == "welcome", sourceLocation: sourceLocation)
        await #expect(throws: Errno.deadlineExceeded, sourceLocation: sourceLocation) {
            _ = try await listener.accept(until: .now)
        }
    }

    /// Accepts what is in the backlog, and returns how often that is the connection from `address`.
    ///
    /// Expects that every other connection is closed.
    func acceptAll(from address: SocketAddress) async throws -> Int {
        var count = 0
        while let accepted = try listener.socket.accept() {
            if accepted.peer == address {
                count += 1
            } else {
                let stream = try AsyncTCPStream(accepted.stream, on: executor)
                #expect(try await stream.readToEnd() == [])
            }
        }
        return count
    }
}
