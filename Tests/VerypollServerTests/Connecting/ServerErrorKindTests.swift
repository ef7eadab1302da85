import SystemPackage
import Testing

@testable import VerypollServer

@Suite("ServerErrorKind")
struct ServerErrorKindTests {
    @Test(
        "a failed attempt is classified by its error",
        arguments: [
            (Errno.connectionRefused, "connect_refused"),
            (.noSuchFileOrDirectory, "connect_refused"), (.timedOut, "connect_timeout"),
            (.noRouteToHost, "connect_unreachable"), (.networkUnreachable, "connect_unreachable"),
            (.connectionReset, "connect_reset"), (.addressNotAvailable, "connect_resources"),
            (.tooManyOpenFiles, "connect_resources"),
            (.resourceTemporarilyUnavailable, "connect_resources"),
            (.permissionDenied, "connect_other"),
            (.operationNotSupportedByDevice, "connect_unreachable"),
            (.addressFamilyNotSupported, "connect_unreachable"),
        ]
    )
    func classifiesAttempts(error: Errno, name: String) {
        #expect(ServerErrorKind(connecting: error).name == name)
    }

    @Test("a failed connection is classified by its error")
    func classifiesConnections() {
        #expect(ServerErrorKind(connected: .connectionReset) == .reset)
        #expect(ServerErrorKind(connected: .brokenPipe) == .reset)
        #expect(ServerErrorKind(connected: .timedOut) == .timeout)
        #expect(ServerErrorKind(connected: .noMemory) == .other)
    }

    @Test("every kind has a name of its own in snake case")
    func names() {
        let names = ServerErrorKind.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil })
    }
}
