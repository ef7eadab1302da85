import SystemPackage
import Testing
import Verypoll
import VerypollAsync

@Suite("Reads that append to an array")
struct AppendingReadTests {
    @Test("a read appends at most its limit, and 0 bytes at end of file")
    func appends() throws {
        try PollExecutor.run { executor in
            let pair = try AsyncUnixStream.pair(on: executor)
            try await pair.first.writeAll(Array("0123456789".utf8).span)
            try pair.first.shutdown(.write)
            var buffer = Array("> ".utf8)
            var counts: [Int] = []
            while true {
                let count = try await pair.second.read(appendingTo: &buffer, atMost: 4)
                counts.append(count)
                if count == 0 { break }
            }
            #expect(counts == [4, 4, 2, 0])
            #expect(String(decoding: buffer, as: UTF8.self) == "> 0123456789")
        }
    }

    @Test("a read that is too late leaves the array as it was, and the next one gets the bytes")
    func keepsBytes() throws {
        try PollExecutor.run { executor in
            let pipe = try AsyncPipe(on: executor)
            var buffer: [UInt8] = [1]
            await #expect(throws: Errno.deadlineExceeded) {
                let deadline = Deadline.now + .milliseconds(10)
                _ = try await pipe.receiver.read(appendingTo: &buffer, atMost: 4, until: deadline)
            }
            #expect(buffer == [1])
            try await pipe.sender.writeAll([2, 3].span)
            #expect(try await pipe.receiver.read(appendingTo: &buffer, atMost: 4) == 2)
            #expect(buffer == [1, 2, 3])
        }
    }
}
