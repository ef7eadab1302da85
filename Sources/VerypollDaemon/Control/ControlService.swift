internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

/// The control socket's server, with everything that its calls need beside the supervisor's thread.
///
/// A class, because a call that the server handles may add to the pending calls meanwhile.
final class ControlService {
    /// The server; it lives on the supervisor's thread.
    var server: ControlServer
    /// The calls that wait for answers of workers.
    var pendingCalls = PendingCalls()
    /// Does work that takes long, one job after the other.
    private let thread: JobThread
    /// The socket's file, unless the socket is systemd's.
    private let file: SocketFile?

    /// Makes the service of a server.
    ///
    /// - Throws: See pthread_create(3).
    init(_ server: consuming ControlServer, file: consuming SocketFile?) throws(Errno) {
        thread = try JobThread(name: "control")
        self.file = file
        self.server = server
    }

    /// Does a job on the service's thread, which then reports the result.
    func start(_ job: ControlJob, report: @escaping @Sendable (ControlJob.Result) -> Void) {
        // One job at a time, so there is room for it.
        _ = thread.add { report(job.run()) }
    }

    /// Answers a call.
    func complete<Value: Encodable>(_ callID: CallID, with result: Result<Value, VarlinkError>) {
        server.complete(callID, with: result)
    }

    /// Answers a call once the workers have reported everything.
    func complete<Value: Encodable>(_ answer: PendingCalls.Answer<Value>?) {
        if let answer { server.complete(answer.callID, with: answer.result) }
    }

    /// Answers the calls that have waited too long for workers.
    func expireCalls(now: ContinuousClock.Instant) {
        for callID in pendingCalls.expire(now: now) {
            server.complete(callID, with: Result<NoParameters, VarlinkError>.failure(.busy))
        }
    }
}
