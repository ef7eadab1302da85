import SystemPackage
import Testing
import Verypoll
import VerypollAsync

@Suite("serveOwned")
struct ServeOwnedTests {
    @Test("a connection may be split, and its place becomes free when the closure returns")
    func limitsConnections() throws {
        try PollExecutor.run { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let address = try listener.socket.localAddress()
            let server = Task(executorPreference: executor) {
                try await listener.serveOwned(limit: 1) { stream in
                    let halves = stream.split()
                    var buffer: [UInt8] = []
                    do throws(Errno) {
                        while try await halves.reader.read(appendingTo: &buffer, atMost: 16) > 0 {
                            try await halves.writer.writeAll(buffer.span)
                        }
                    } catch {}
                }
            }
            let first = try await AsyncTCPStream.connect(to: address, on: executor)
            try await first.writeAll([1].span)
            var answer: [UInt8] = []
            _ = try await first.read(appendingTo: &answer, atMost: 16)
            let second = try await AsyncTCPStream.connect(to: address, on: executor)
            try await second.writeAll([2].span)
            await #expect(throws: Errno.deadlineExceeded) {
                let deadline = Deadline.now + .milliseconds(50)
                _ = try await second.read(appendingTo: &answer, atMost: 16, until: deadline)
            }
            try first.shutdown(.write)
            answer = []
            _ = try await second.read(appendingTo: &answer, atMost: 16)
            #expect(answer == [2])
            server.cancel()
            await #expect(throws: Errno.canceled) { try await server.value }
        }
    }
}
