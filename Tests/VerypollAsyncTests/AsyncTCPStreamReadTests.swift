import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncTCPStream: reading", .timeLimit(.minutes(1)))
struct AsyncTCPStreamReadTests {
    @Test("a peer that writes and closes at once is read to its end", arguments: Place.allCases)
    func readsToEnd(place: Place) async throws {
        try await place.run { executor in
            for count in 1...200 {
                let pair = try await ClientPair(on: executor)
                let client = pair.client
                let work = ConcurrentWork {
                    try client.send([UInt8].noise(count))
                    try client.finishSending()
                }
                #expect(try await pair.server.readToEnd() == .noise(count))
                try work.join()
            }
        }
    }

    @Test("the end of the stream is read though it came in one packet with the last bytes")
    func readsEndWithBytes() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let server = Shared(pair.server)
                let task = Task(executorPreference: place.preference(executor)) {
                    try await server.value.readToEnd()
                }
                await letOthersWait()
                #expect(try pair.client.socket.writeHoldingBack([1, 2, 3].span) == 3)
                try pair.client.shutdown(.write)
                #expect(try await task.value == [1, 2, 3])
                #expect(try await server.value.readToEnd() == [])
            }
        }
    }

    @Test("bytes and the end that arrived before the stream was added are read")
    func readsWhatCameBefore() async throws {
        try await withExecutor { executor in
            let listener = try TCPListener(binding: .loopback(port: 0))
            let client = try Client(port: listener.localAddress().port)
            try client.send("early")
            try client.finishSending()
            try client.waitUntilTaken()
            let accepting = try AsyncTCPListener(listener, on: executor)
            let stream = try await accepting.accept()
            #expect(try await stream.readToEnd().text == "early")
        }
    }

    @Test("a read that stops at the mark of urgent data does not wait for more before the rest")
    func passesUrgentMark() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await ClientPair(on: executor)
                try pair.client.send("ab")
                try pair.client.sendUrgent(0x63)
                try pair.client.send("de")
                var received: [UInt8] = []
                while received.count < 4 { received += try await pair.server.readOnce() }
                #expect(received.text == "abde")
            }
        }
    }

    @Test("urgent data after a short read does not stop the stream", arguments: Place.allCases)
    func passesLaterUrgentMark(place: Place) async throws {
        try await place.run { executor in
            let pair = try await ClientPair(on: executor)
            for _ in 0..<20 {
                try pair.client.send("ab")
                #expect(try await pair.server.read(exactly: 2, step: 100).text == "ab")
                try pair.client.send("cd")
                try pair.client.sendUrgent(0x21)
                try pair.client.send("ef")
                #expect(try await pair.server.read(exactly: 4, step: 100).text == "cdef")
            }
        }
    }

    @Test("a peek sees the bytes that the next read returns", arguments: Place.allCases)
    func peeks(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            var buffer = [UInt8](repeating: 0, count: 10)
            await pair.server.expectDeadline { stream, deadline in
                var buffer: [UInt8] = [0]
                _ = try await stream.peek(into: buffer.mutableSpan, until: deadline)
            }
            try await pair.client.writeAll("hello")
            for _ in 0..<2 {
                let count = try await pair.server.peek(into: buffer.mutableSpan)
                #expect(Array(buffer.prefix(count)).text == "hello")
            }
            #expect(try await pair.server.readOnce().text == "hello")
            try pair.client.shutdown(.write)
            #expect(try await pair.server.peek(into: buffer.mutableSpan) == 0)
            #expect(try await pair.server.readToEnd() == [])
        }
    }

    @Test("a read appends to an output span, up to its free capacity", arguments: Place.allCases)
    func appends(place: Place) async throws {
        try await place.run { executor in
            let pair = try await TCPPair(on: executor)
            try await pair.client.writeAll("abcdef")
            var bytes = Array("0".utf8)
            let storage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4)
            defer { unsafe storage.deallocate() }
            var output = unsafe OutputSpan(buffer: storage, initializedCount: 0)
            output.append(0x30)
            #expect(try await pair.server.read(into: &output) == 3)
            let span = output.span
            bytes = span.indices.map { span[$0] }
            #expect(bytes.text == "0abc")
            #expect(try await pair.server.readOnce().text == "def")
        }
    }

    @Test("lent bytes are the next ones, and none at the end of the stream")
    func lends() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                let bytes = [UInt8].noise(200_000)
                let client = Shared(pair.client)
                async let sent: Void = client.value.writeAll(bytes)
                var received: [UInt8] = []
                while received.count < bytes.count {
                    let most = try await pair.server.withBytes { span throws(Errno) in
                        for index in span.indices { received.append(span[index]) }
                        return span.count
                    }
                    #expect((1...65_536).contains(most))
                }
                try await sent
                #expect(received == bytes)
                try client.value.shutdown(.write)
                #expect(try await pair.server.withBytes { span throws(Errno) in span.count } == 0)
            }
        }
    }

    @Test("an error of the code that gets lent bytes is thrown, and the bytes are consumed")
    func lendsToFailure() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                try await pair.client.writeAll("bad")
                await #expect(throws: Errno.protocolError) {
                    try await pair.server.withBytes { _ throws(Errno) in throw .protocolError }
                }
                try await pair.client.writeAll("good")
                #expect(try await pair.server.readOnce().text == "good")
            }
        }
    }

    @Test("a stream is readable after calls on its socket that found nothing or left bytes")
    func isReadable() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                var buffer = [UInt8](repeating: 0, count: 2)
                for _ in 0..<20 {
                    #expect(try pair.server.socket.read(into: buffer.mutableSpan) == nil)
                    await pair.server.expectDeadline { stream, deadline in
                        try await stream.readable(until: deadline)
                    }
                    try await pair.client.writeAll("abc")
                    try await pair.server.readable()
                    #expect(try pair.server.socket.read(into: buffer.mutableSpan) == 2)
                    try await pair.server.readable()
                    #expect(try await pair.server.readOnce().text == "c")
                }
                try pair.client.shutdown(.write)
                try await pair.server.readable()
                #expect(try pair.server.socket.read(into: buffer.mutableSpan) == 0)
            }
        }
    }

    @Test("a stream is writable after calls on its socket that filled it")
    func isWritable() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let pair = try await TCPPair(on: executor)
                try await pair.client.writable()
                let bytes = [UInt8](repeating: 1, count: 65_536)
                for _ in 0..<5 {
                    var total = 0
                    while let count = try pair.client.socket.write(bytes.span) { total += count }
                    await pair.client.expectDeadline { stream, deadline in
                        try await stream.writable(until: deadline)
                    }
                    #expect(try await pair.server.read(exactly: total).count == total)
                    try await pair.client.writable()
                }
            }
        }
    }
}
