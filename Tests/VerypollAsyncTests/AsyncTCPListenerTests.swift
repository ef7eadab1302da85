import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncTCPListener", .timeLimit(.minutes(1)))
struct AsyncTCPListenerTests {
    @Test("connections are accepted in the order of their arrival", arguments: Place.allCases)
    func accepts(place: Place) async throws {
        try await place.run { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let port = try listener.socket.localAddress().port
            for _ in 0..<3 {
                let clients = [Shared(try Client(port: port)), Shared(try Client(port: port))]
                for client in clients {
                    let accepted = try await listener.accept()
                    let localPort = try client.value.localPort()
                    #expect(try accepted.socket.peerAddress().port == localPort)
                }
            }
        }
    }

    @Test("accept waits for a connection", arguments: Place.allCases)
    func waits(place: Place) async throws {
        try await place.run { executor in
            let listener = Shared(
                try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            )
            let port = try listener.value.socket.localAddress().port
            let task = Task(executorPreference: place.preference(executor)) {
                try await listener.value.accept().readOnce()
            }
            await letOthersWait()
            let client = try Client(port: port)
            try client.send("hello")
            #expect(try await task.value.text == "hello")
        }
    }

    @Test("accept ends at its deadline or when its task is canceled", arguments: Place.allCases)
    func ends(place: Place) async throws {
        try await place.run { executor in
            let listener = Shared(
                try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            )
            await listener.value.expectDeadline { listener, deadline in
                _ = try await listener.accept(until: deadline)
            }
            let task = Task(executorPreference: place.preference(executor)) {
                _ = try await listener.value.accept()
            }
            await letOthersWait()
            task.cancel()
            await #expect(throws: Errno.canceled) { try await task.value }
            let client = try Client(port: listener.value.socket.localAddress().port)
            let accepted = try await listener.value.accept()
            try client.send("x")
            #expect(try await accepted.readOnce().text == "x")
        }
    }

    @Test("a connection that its client has reset is accepted, and fails to read")
    func acceptsReset() async throws {
        try await withExecutor { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let port = try listener.socket.localAddress().port
            try Client(port: port).reset()
            let client = try Client(port: port)
            let first = try await listener.accept()
            await #expect(throws: Errno.connectionReset) { _ = try await first.readOnce() }
            let second = try await listener.accept()
            #expect(try second.socket.peerAddress().port == client.localPort())
        }
    }

    @Test("accept throws the listener's own error when the socket no longer listens")
    func fails() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let listener = Shared(
                    try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
                )
                let task = Task(executorPreference: place.preference(executor)) {
                    _ = try await listener.value.accept()
                }
                await letOthersWait()
                let number = listener.value.socket.fileDescriptor.rawValue
                #expect(shutdown(number, Int32(SHUT_RDWR)) == 0)
                await #expect(throws: Errno.invalidArgument) { try await task.value }
            }
        }
    }

    @Test("a taken address is `addressInUse`")
    func isTaken() async throws {
        try await withExecutor { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let address = try listener.socket.localAddress()
            #expect(throws: Errno.addressInUse) {
                _ = try AsyncTCPListener(binding: address, on: executor)
            }
        }
    }
}
