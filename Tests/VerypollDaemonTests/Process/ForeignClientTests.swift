internal import TestSupport
internal import Testing

/// Runs a shell command and returns its output.
private func shell(_ line: String, _ words: String...) throws -> String {
    try Program.run("/bin/sh", ["-c", line, "sh"] + words).standardOutput
}

@Suite("Third-party clients")
struct ForeignClientTests {
    private static let everything = ["echo", "discard", "drop", "daytime", "chargen"]

    private func startDaemon(listen address: String) throws -> TestDaemon {
        let listeners = Self.everything.map { serving($0, listen: address + "-" + $0) }
        return try TestDaemon(listeners.joined(separator: ", "))
    }

    @Test("socat is served over IPv4")
    func servesSocat() throws {
        try requireProgram("socat")
        let daemon = try TestDaemon(Self.everything.map { serving($0) }.joined(separator: ", "))
        try expectServices { line, name in
            try shell(line, "socat -t10 - TCP4:\(daemon.address(of: name))")
        }
    }

    @Test("socat is served over IPv6")
    func servesSocatOverIPv6() throws {
        try requireProgram("socat")
        let listeners = Self.everything.map { serving($0, listen: "[::1]:0") }
        let daemon = try TestDaemon(listeners.joined(separator: ", "))
        try expectServices { line, name in
            try shell(line, "socat -t10 - TCP6:\(daemon.address(of: name))")
        }
    }

    @Test("socat is served over a path")
    func servesSocatOverPath() throws {
        try requireProgram("socat")
        let daemon = try startDaemon(listen: "unix:DIR/socket")
        try expectServices { line, name in
            let path = try daemon.address(of: name).dropFirst("unix:".count)
            return try shell(line, "socat -t10 - UNIX-CONNECT:\(path)")
        }
    }

    @Test("socat is served over an abstract name")
    func servesSocatOverAbstractName() throws {
        try requireProgram("socat")
        let daemon = try startDaemon(listen: "unix:@verypoll-DIR")
        try expectServices { line, name in
            let abstract = try daemon.address(of: name).dropFirst("unix:@".count)
            return try shell(line, "socat -t10 - ABSTRACT-CONNECT:\(abstract)")
        }
    }

    @Test("nc is served over IPv4")
    func servesNetcat() throws {
        try requireProgram("nc")
        let daemon = try TestDaemon(Self.everything.map { serving($0) }.joined(separator: ", "))
        try expectServices { line, name in
            let address = try daemon.address(of: name).replacing(":", with: " ")
            return try shell(line, "nc -N \(address)")
        }
    }

    @Test("nc is served over a path")
    func servesNetcatOverPath() throws {
        try requireProgram("nc")
        let daemon = try startDaemon(listen: "unix:DIR/socket")
        try expectServices { line, name in
            let path = try daemon.address(of: name).dropFirst("unix:".count)
            return try shell(line, "nc -N -U \(path)")
        }
    }

    /// Expects every service to answer; `run` passes the client's command to a shell line as its
    /// first parameter.
    private func expectServices(_ run: (_ line: String, _ service: String) throws -> String) throws
    {
        #expect(try run("printf 'hello\nworld' | $1", "echo") == "hello\nworld")
        #expect(try run("head -c 1000000 /dev/zero | $1 | wc -c", "echo") == "1000000\n")
        #expect(try run("printf hello | $1", "discard") == "")
        #expect(try run("$1 </dev/null", "drop") == "")
        let line = try run("$1 </dev/null", "daytime")
        #expect(line.contains("day, ") && line.hasSuffix("\r\n"), "\(line)")
        let pattern = String(decoding: characterPattern(100_000), as: UTF8.self)
        #expect(try run("$1 </dev/null 2>/dev/null | head -c 100000", "chargen") == pattern)
    }
}
