import DaemonTestSupport
import Foundation
import TestSupport
import Testing

@testable import VerypollServer

@Suite("ClientHello")
struct ClientHelloTests {
    /// What a parser has found.
    private struct Reading: Equatable {
        let finding: ClientHello.Finding
        let serverName: String
        let protocols: [UInt8]
        let versions: ClientHello.Versions
    }

    /// Parses bytes in pieces of these lengths; the last length is used for all the rest.
    private func read(_ bytes: [UInt8], pieces: [Int] = [.max]) -> Reading {
        var hello = ClientHello()
        var finding = ClientHello.Finding.incomplete
        var start = 0
        var index = 0
        while start < bytes.count, finding == .incomplete {
            let length = pieces[min(index, pieces.count - 1)]
            let end = length < bytes.count - start ? start + length : bytes.count
            finding = hello.read(bytes.span.extracting(start..<end))
            start = end
            index += 1
        }
        return Reading(
            finding: finding,
            serverName: String(decoding: hello.serverName, as: UTF8.self),
            protocols: hello.protocols,
            versions: hello.versions
        )
    }

    private static let captures = [
        ("openssl", "\u{2}h2\u{8}http/1.1"), ("openssl-tls12", "\u{2}h2\u{8}http/1.1"),
        ("openssl-no-name", ""), ("curl", "\u{2}h2\u{8}http/1.1"), ("python", "\u{8}http/1.1"),
        ("gnutls", "\u{2}h2\u{8}http/1.1"), ("wget", ""), ("go", "\u{2}h2\u{8}http/1.1"),
        ("chrome", "\u{2}h2\u{8}http/1.1"), ("firefox", "\u{2}h2\u{8}http/1.1"),
    ]

    private func capture(_ name: String) throws -> [UInt8] {
        let path = "\(Repository.path)/Tests/Hellos/\(name).bin"
        return [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    @Test("the ClientHello of a real client is read, however it is framed", arguments: captures)
    func readsCaptures(name: String, protocols: String) throws {
        let bytes = try capture(name)
        let whole = read(bytes)
        #expect(whole.finding == .complete)
        #expect(whole.serverName == (name == "openssl-no-name" ? "" : "shop.example.com"))
        #expect(whole.protocols == Array(protocols.utf8))
        #expect(whole.versions.contains(name == "openssl-tls12" ? .tls12 : .tls13))
        for split in 1..<bytes.count { #expect(read(bytes, pieces: [split, .max]) == whole) }
        #expect(read(bytes, pieces: [1]) == whole)
        let message = Array(bytes[5...])
        let part = (message.count + 63) / 64
        for framed in [records(of: message, [1]), records(of: message, [part])] {
            #expect(read(framed) == whole)
            #expect(read(framed, pieces: [1]) == whole)
        }
        #expect(read(bytes + [20, 3, 3, 0, 1, 1]) == whole)
        #expect(read(records(of: message + message, [message.count * 2])) == whole)
        for count in 0..<bytes.count {
            var hello = ClientHello()
            let finding = hello.read(bytes.span.extracting(first: count))
            #expect(finding == .incomplete)
            #expect(hello.findingAtEnd == .malformed(.end))
        }
    }

    @Test("the first host name counts, whatever other names and extensions there are")
    func findsNames() {
        var hello = ClientHelloBytes(protocols: ["h2", "x"])
        let names = hostName([1, 2], type: 7) + hostName(Array("a.example".utf8))
        hello.first = helloExtension(0x0A0A, []) + helloExtension(0, list(names))
        hello.last = helloExtension(0xFAFA, [0]) + helloExtension(21, Array(repeating: 0, count: 9))
        let reading = read(hello.record)
        #expect(reading.finding == .complete)
        #expect(reading.serverName == "a.example")
        #expect(reading.protocols == Array("\u{2}h2\u{1}x".utf8))
    }

    @Test("a ClientHello without extensions has no name")
    func readsOldest() {
        let message = ClientHelloBytes.message(body: ClientHelloBytes.prefix)
        let reading = read(records(of: message, [100]))
        #expect(reading.finding == .complete)
        #expect(reading.serverName == "")
        #expect(reading.versions == .tls12)
    }

    @Test("versions are those of the extension, without unknown ones")
    func readsVersions() {
        var hello = ClientHelloBytes("a")
        hello.versions = [0x0A0A, 0x0304, 0x0302, 0x7F1C]
        #expect(read(hello.record).versions == [.tls13, .tls11])
        // Without the extension, TLS 1.2 is the newest; RFC 8446, 4.2.1.
        let body = [3, 4] + ClientHelloBytes.prefix[2...]
        let old = ClientHelloBytes.message(body: Array(body))
        #expect(read(records(of: old, [100])).versions == .tls12)
    }

    @Test(
        "bytes that are not TLS are recognized by the first two bytes",
        arguments: [
            Array("GET / HTTP/1.1\r\n".utf8), [0x80, 0x2E, 1, 3, 1], [22, 2],
            [21, 3, 3, 0, 2, 2, 0],
            [0],
        ]
    )
    func recognizesOthers(bytes: [UInt8]) {
        #expect(read(bytes).finding == .notTLS)
        #expect(read(bytes, pieces: [1]).finding == .notTLS)
    }

    private static func hello(_ change: (inout ClientHelloBytes) -> Void) -> [UInt8] {
        var hello = ClientHelloBytes("a.example", protocols: ["h2"])
        change(&hello)
        return hello.record
    }

    private static func record(_ extensions: [UInt8]) -> [UInt8] {
        let message = ClientHelloBytes.message(body: ClientHelloBytes.prefix + extensions)
        return records(of: message, [message.count])
    }

    private static let malformed: [([UInt8], ClientHello.Reason)] = [
        ([22, 3, 1, 0, 0], .record), ([22, 3, 1, 0x40, 1], .record),
        (records(of: ClientHelloBytes.message(type: 2, body: [0]), [9]), .type),
        (records(of: ClientHelloBytes.message(body: [3, 3]), [99]), .length),
        (records(of: [1, 0, 0, 9], [4]) + [21, 3, 3, 0, 2, 2, 0], .record),
        (record([0, 5, 0]), .length), (record(list([0, 0, 0, 9, 1])), .length),
        (record(list([0, 0, 0])), .length),
        (record(list(helloExtension(0, []))), .serverName),
        (record(list(helloExtension(0, [0, 0]))), .serverName),
        (record(list(helloExtension(0, [0, 4, 0, 0, 2, 65]))), .serverName),
        (record(list(helloExtension(0, list(hostName([]))))), .serverName),
        (record(list(helloExtension(0, list(hostName([65])) + [0]))), .serverName),
        (record(list(helloExtension(0, list(hostName([65]) + hostName([66]))))), .serverName),
        (record(list(helloExtension(16, []))), .protocols),
        (record(list(helloExtension(16, list([0, 0])))), .protocols),
        (record(list(helloExtension(16, list([3, 65])))), .protocols),
        (record(list(helloExtension(16, list([1, 65]) + [0]))), .protocols),
        (record(list(helloExtension(43, []))), .versions),
        (record(list(helloExtension(43, [3, 3, 4, 3]))), .versions),
        (hello { $0.last = helloExtension(0, list(hostName([65]))) }, .repetition),
        (hello { $0.last = helloExtension(16, list([1, 65])) }, .repetition),
    ]

    @Test("a malformed ClientHello is refused", arguments: malformed)
    func refuses(bytes: [UInt8], reason: ClientHello.Reason) {
        #expect(read(bytes).finding == .malformed(reason))
        #expect(read(bytes, pieces: [1]).finding == .malformed(reason))
    }

    @Test("the longest ClientHello is read, and a longer one is refused by its length alone")
    func limits() {
        func hello(_ count: Int) -> [UInt8] {
            var hello = ClientHelloBytes("a.example")
            let rest = count - (hello.message.count - 4) - 4
            hello.last = helloExtension(21, Array(repeating: 0, count: rest))
            return hello.message
        }
        let longest = hello(ClientHello.longestBody)
        #expect(longest.count == 16_388)
        #expect(read(records(of: longest, [1 << 14])).finding == .complete)
        #expect(read(records(of: longest, [1])).serverName == "a.example")
        let tooLong = records(of: hello(ClientHello.longestBody + 1), [1 << 14])
        #expect(read(tooLong).finding == .tooLarge)
        #expect(read(Array(tooLong[..<9])).finding == .tooLarge)
    }

    @Test("a parser can be used again")
    func startsOver() {
        var hello = ClientHello()
        _ = hello.read(ClientHelloBytes("first.example", protocols: ["h2"]).record.span)
        hello.removeAll()
        #expect(hello == ClientHello())
        #expect(hello.read(ClientHelloBytes("b").record.span) == .complete)
        #expect(hello.serverName == [98])
        #expect(hello.protocols == [])
    }
}
