import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The async-redis example")
final class RedisExampleTests {
    private let server: Program
    private let port: UInt16

    init() throws {
        server = try Program("async-redis", ["127.0.0.1:0"])
        port = try portOfGreeting(of: server)
    }

    private func exchange(_ commands: String) throws -> String {
        let client = try Client(port: port)
        try client.send(commands)
        return String(decoding: try client.receiveToEnd(), as: UTF8.self)
    }

    @Test("redis-cli gets the replies of Redis")
    func servesRedisCLI() throws {
        try requireProgram("redis-cli")
        let expected = [
            ("PING", "PONG"), ("PING hi", "hi"), ("ECHO 'two words'", "two words"),
            ("GET missing", ""), ("SET key 'a value'", "OK"), ("GET key", "a value"),
            ("INCR count", "1"), ("INCR count", "2"), ("DEL key count other", "2"),
            ("SET count x", "OK"),
            ("INCR count", "ERR value is not an integer or out of range\n"),
            ("GET", "ERR wrong number of arguments for 'get' command\n"),
            ("FLUSHALL", "ERR unknown command\n"), ("COMMAND", ""), ("QUIT", "OK"),
        ]
        for (command, reply) in expected {
            #expect(try shell("redis-cli -p \(port) \(command)") == reply + "\n")
        }
    }

    @Test("redis-benchmark pipelines commands on many connections without an error")
    func servesRedisBenchmark() throws {
        try requireProgram("redis-benchmark")
        let report = try shell(
            "redis-benchmark -p \(port) -c 20 -n 5000 -P 16 -t ping,set,get,incr --csv"
        )
        for test in ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"] {
            #expect(report.contains("\"\(test)\""))
        }
    }

    @Test("inline commands and arrays may be mixed, and arrive in pieces")
    func assembles() throws {
        let commands =
            "PING\r\n\r\n*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\nset k v\n*0\r\nGET k\r\nQUIT\r\n"
        let replies = "+PONG\r\n$4\r\na\r\nb\r\n+OK\r\n$1\r\nv\r\n+OK\r\n"
        #expect(try exchange(commands) == replies)
        let client = try Client(port: port)
        for byte in commands.utf8 { try client.send([byte]) }
        #expect(String(decoding: try client.receiveToEnd(), as: UTF8.self) == replies)
    }

    @Test("replies to many pipelined commands are larger than any buffer, and complete")
    func pipelines() throws {
        let value = String(repeating: "v", count: 60_000)
        let client = try Client(port: port)
        try client.send(
            "SET k \(value)\r\n" + String(repeating: "GET k\r\n", count: 200) + "QUIT\r\n"
        )
        let replies = try client.receiveToEnd()
        #expect(
            replies.count == "+OK\r\n".utf8.count * 2 + 200 * "$60000\r\n\(value)\r\n".utf8.count
        )
    }

    @Test(
        "bytes that are not a command end the connection with an error",
        arguments: ["*x\r\n", "*1\r\nPING\r\n", "*1\r\n$-1\r\n", "*1025\r\n", "*1\r\n$65537\r\n"]
    )
    func refuses(bytes: String) throws {
        #expect(try exchange(bytes).hasPrefix("-ERR Protocol error: "))
    }

    @Test("a line without an end is refused when it is too long")
    func refusesLongLines() throws {
        let line = String(repeating: "x", count: 65_536)
        #expect(try exchange(line) == "-ERR Protocol error: too big command\r\n")
    }
}
