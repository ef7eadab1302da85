import Synchronization
import SystemPackage
import Testing
import Verypoll
import VerypollAsync

@Suite struct EchoTests {
    @Test("a client gets its bytes back")
    func echoes() throws {
        try PollExecutor.run { executor in
            let listener = try AsyncTCPListener(binding: .loopback(port: 0), on: executor)
            let address = try listener.socket.localAddress()
            let client = Task(executorPreference: executor) {
                let stream = try await AsyncTCPStream.connect(to: address, on: executor)
                let bytes = [UInt8](repeating: 7, count: 1 << 20)
                let halves = stream.split()
                let writer = Task(executorPreference: executor) {
                    try await halves.writer.writeAll(bytes.span)
                }
                var buffer = [UInt8](repeating: 0, count: 1000)
                var total = 0
                while total < bytes.count {
                    total += try await halves.reader.read(into: buffer.mutableSpan)
                }
                try await writer.value
                return total
            }
            let server = Task(executorPreference: executor) {
                try await listener.serve { stream in
                    var buffer = [UInt8](repeating: 0, count: 16384)
                    do throws(Errno) {
                        while case let count = try await stream.read(into: buffer.mutableSpan),
                            count > 0
                        {
                            try await stream.writeAll(buffer.span.extracting(first: count))
                        }
                    } catch {}
                }
            }
            #expect(try await client.value == 1 << 20)
            server.cancel()
            await #expect(throws: Errno.canceled) { try await server.value }
        }
    }
}
