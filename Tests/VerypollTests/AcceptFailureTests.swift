#if Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("AcceptFailure")
struct AcceptFailureTests {
    @Test(
        "errors of a single connection are classified as such",
        arguments: [
            Errno.connectionAbort, .connectionReset, .protocolError, .notPermitted, .interrupted,
            .timedOut, .networkDown, .networkUnreachable, .hostIsDown, .noRouteToHost,
            .notSupportedOnSocket, .protocolNotAvailable, Errno(rawValue: ENONET),
        ]
    )
    func isOfTheConnection(error: Errno) {
        #expect(AcceptFailure(error) == .connection)
    }

    @Test(
        "running out of descriptors and running out of memory are distinguished",
        arguments: [
            Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory,
        ]
    )
    func isOfResources(error: Errno) {
        #expect(AcceptFailure(error) == .resources)
    }

    @Test(
        "all other errors are the listener's own",
        arguments: [
            Errno.badFileDescriptor, .notSocket, .invalidArgument, .badAddress,
            .protocolWrongTypeForSocket,
        ]
    )
    func isOfTheListener(error: Errno) {
        #expect(AcceptFailure(error) == .listener)
    }

    @Test("accept fails for lack of descriptors, and the connection stays in the backlog")
    func runsOut() async {
        await #expect(processExitsWith: .success) {
            let listener = try TCPListener(binding: .loopback(port: 0))
            let client = try TCPStream(connectingTo: listener.localAddress())
            let address = UnixAddress.unique()
            let unixListener = try UnixListener(binding: address)
            let unixClient = try UnixStream(connectingTo: address)
            try listener.fileDescriptor.wait()

            let hoard = try takeAllDescriptors()
            var failures: [AcceptFailure] = []
            for _ in 0..<2 {
                do throws(Errno) { _ = try listener.accept() } catch {
                    #expect(error == .tooManyOpenFiles)
                    failures.append(AcceptFailure(error))
                }
                do throws(Errno) { _ = try unixListener.accept() } catch {
                    failures.append(AcceptFailure(error))
                }
            }
            #expect(failures == [.resources, .resources, .resources, .resources])
            for number in hoard { close(number) }
            #expect(try listener.next().peer == client.localAddress())
            _ = try unixListener.next()
            withExtendedLifetime(unixClient.fileDescriptor) {}
        }
    }

    @Test("accept on a socket that no longer listens fails as a listener error")
    func isBroken() throws {
        let listener = try TCPListener(binding: .loopback(port: 0))
        // On Linux, the socket no longer listens after this.
        try #require(shutdown(listener.fileDescriptor.rawValue, Int32(SHUT_RDWR)) == 0)
        do throws(Errno) {
            _ = try listener.accept()
            Issue.record("accepted from a socket that does not listen")
        } catch {
            #expect(error == .invalidArgument && AcceptFailure(error) == .listener)
        }
    }
}

/// Lowers the descriptor limit, and opens descriptors until none is left.
private func takeAllDescriptors() throws -> [Int32] {
    var limit = rlimit()
    try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    limit.rlim_cur = 128
    try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    var hoard: [Int32] = []
    while true {
        let number = dup(2)
        if number < 0 { return hoard }
        hoard.append(number)
    }
}
#endif
