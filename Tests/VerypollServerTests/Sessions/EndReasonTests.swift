import SystemPackage
import Testing

@testable import VerypollServer

@Suite("Session.EndReason")
struct EndReasonTests {
    @Test("every code has a name of its own in snake case, and there is room to count all")
    func names() {
        let names = SessionEndCode.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil })
        #expect(SessionEndCode.allCases.map { Int($0.rawValue) } == Array(0..<names.count))
        #expect(names.count <= 32)
    }

    @Test("a failed connection is classified by its error")
    func classifies() {
        let codes: [(Session.EndReason, String)] = [
            (.failed(.connectionReset), "client_reset"), (.failed(.brokenPipe), "client_reset"),
            (.failed(.timedOut), "client_timeout"), (.failed(.noMemory), "client_failed"),
            (.serverFailed(.connectionReset), "server_reset"),
            (.serverFailed(.timedOut), "server_timeout"),
            (.serverFailed(.hostIsDown), "server_failed"),
            (.noServer(.unreachable(.connectionRefused)), "no_server_reached"),
            (.timedOut(.firstByte), "timeout_first_byte"), (.handedOff, "handed_over"),
        ]
        for (reason, code) in codes { #expect(reason.code.name == code, "\(reason)") }
    }

    @Test("the failed side has closed first, and otherwise the first end of file decides")
    func closes() {
        #expect(Session.EndReason.completed.closer(firstEnd: .server) == .server)
        #expect(Session.EndReason.completed.closer(firstEnd: nil) == .client)
        #expect(Session.EndReason.failed(.connectionReset).closer(firstEnd: .server) == .client)
        #expect(
            Session.EndReason.serverFailed(.connectionReset).closer(firstEnd: .client) == .server
        )
        for reason: Session.EndReason in [.killed, .drained, .timedOut(.idle), .noServer(.down)] {
            #expect(reason.closer(firstEnd: .client) == .daemon)
        }
    }
}
