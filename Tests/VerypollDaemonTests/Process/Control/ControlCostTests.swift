internal import Foundation
internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

// Serialized, because each test uses as much CPU time as it can get.
@Suite("Cost of control clients", .serialized)
struct ControlCostTests {
    @Test("while control clients flood the daemon, scrapes are not delayed by their pauses")
    func answersScrapes() throws {
        let daemon = try TestDaemon(serving("metrics"))
        let address = try daemon.address(of: "metrics")
        var times: [Duration] = []
        try Misconduct(path: daemon.controlPath, count: 16).run {
            for _ in 0..<40 {
                let start = ContinuousClock.now
                let client = try Client(address: address)
                try client.send("GET /metrics HTTP/1.0\r\n\r\n")
                let answer = String(decoding: try client.receiveToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 200"))
                times.append(ContinuousClock.now - start)
            }
        }
        // A busy machine may delay some scrapes, but not three quarters of them.
        #expect(times.sorted()[10] < .milliseconds(25))
    }

    @Test("a check with 20,000 problems is answered with the first ones and the total")
    func shortensAnswer() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let servers = Array(repeating: "1", count: 20_000).joined(separator: ",")
        let reply = try check(#"{"listeners": {"a": {"listen": [\#(servers)]}}}"#, by: &peer)
        #expect(reply.error == "io.verypoll.Daemon.ConfigurationInvalid")
        let problems = reply.parameters?.problems ?? []
        #expect((1...1000).contains(problems.count))
        #expect(problems.count + (reply.parameters?.omitted ?? 0) == 20_001)
    }

    @Test("a configuration that takes long to check is not checked on the supervisor's thread")
    func checksElsewhere() throws {
        let daemon = try TestDaemon(serving("echo"))
        var peer = try ControlPeer(path: daemon.controlPath)
        let text = Self.nearMisses(byteCount: 150_000)
        let before = (try daemon.program.mainThreadTime(), try daemon.program.processorTime())
        let reply = try check(text, by: &peer)
        let after = (try daemon.program.mainThreadTime(), try daemon.program.processorTime())
        #expect(reply.error == "io.verypoll.Daemon.ConfigurationInvalid")
        #expect((reply.parameters?.problems.count ?? 0) > 10)
        // CPU time, unlike elapsed time, changes little on a busy machine.
        let (main, all) = (after.0 - before.0, after.1 - before.1)
        #expect(main < all / 2, "\(main) of \(all)")
    }

    private struct ProblemList: Decodable {
        var problems: [Problem]
        var omitted: Int?
    }

    /// Sends a configuration to be checked.
    private func check(
        _ text: String,
        by peer: inout ControlPeer
    ) throws -> ControlPeer.Reply<ProblemList> {
        let text = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        let call = ControlPeer.message("io.verypoll.Daemon.CheckConfig", #"{"text": \#(text)}"#)
        try peer.client.send(call)
        return try peer.reply(ProblemList.self)
    }

    /// Returns a configuration in which thousands of listeners name an upstream that is similar to
    /// 256 existing ones but does not exist.
    static func nearMisses(byteCount: Int) -> String {
        let stem = String(repeating: "u", count: 50)
        let upstreams = (0..<256).map { #""\#(stem)\#(1000 + $0)": {"servers": ["h:1"]}"# }
        var text = #"{"upstreams": {"# + upstreams.joined(separator: ",") + #"}, "listeners": {"#
        var number = 0
        while text.utf8.count < byteCount - 300 {
            number += 1
            text += number == 1 ? "" : ","
            text += #""\#(number)":{"listen":["127.0.0.1:0"],"handler":{"type":"proxy","#
            text += #""upstream":"\#(stem)x\#(number % 100)"}}"#
        }
        return text + "}}"
    }
}
