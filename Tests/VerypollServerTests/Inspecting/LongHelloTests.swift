import DaemonTestSupport
import Testing

@testable import VerypollServer

@Suite("LongHello")
struct LongHelloTests {
    @Test("all bytes are kept, up to the limit")
    func keeps() {
        var bytes = ClientHelloBytes("a.example")
        bytes.last = helloExtension(21, Array(repeating: 0, count: 5000))
        let record = bytes.record
        let long = LongHello()
        #expect(long.read(record.span.extracting(..<5000)) == .incomplete)
        #expect(long.read(record.span.extracting(5000...)) == .complete)
        #expect(long.bytes == record)
    }

    @Test("a ClientHello whose records have more than 32 KiB is too large")
    func limits() {
        var bytes = ClientHelloBytes("a.example")
        bytes.last = helloExtension(21, Array(repeating: 0, count: 8000))
        let framed = records(of: bytes.message, [1])
        #expect(framed.count > LongHello.byteLimit)
        let long = LongHello()
        var finding = ClientHello.Finding.incomplete
        var start = 0
        while finding == .incomplete {
            let end = start + min(long.room, 1000)
            finding = long.read(framed.span.extracting(start..<end))
            start = end
        }
        #expect(finding == .tooLarge)
        #expect(long.bytes.count == LongHello.byteLimit)
    }
}
