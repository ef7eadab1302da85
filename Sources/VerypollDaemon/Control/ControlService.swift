internal import SystemPackage
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

/// A control server, with its pending calls, its job thread and the socket's file.
///
/// This is a class, so that a call that the server handles can add to the pending calls.
final class ControlService {
    /// The server, which runs on the supervisor's thread.
    var server: ControlServer
    /// The calls that wait for answers from workers.
    var pendingCalls = PendingCalls()
    /// The calls that close sessions.
    var pendingKills = PendingKills()
    /// The thread that runs jobs, one after the other.
    let thread: JobThread
    /// The socket's file; `nil` if systemd passed the socket.
    private let file: SocketFile?

    /// Creates the service of a server.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - file: The socket's file; `nil` if systemd passed the socket.
    ///   - thread: The thread of another service, to share it; `nil` to start a thread.
    /// - Throws: See pthread_create(3).
    init(
        _ server: consuming ControlServer,
        file: consuming SocketFile?,
        thread: JobThread? = nil
    ) throws(Errno) {
        self.thread = if let thread { thread } else { try JobThread(name: "control") }
        self.file = file
        self.server = server
    }

    /// Runs a job on the service's thread, which then reports the result.
    func start(_ job: ControlJob, report: @escaping @Sendable (ControlJob.Result) -> Void) {
        // Each server runs one job at a time, so the thread always has room for it.
        _ = thread.add { report(job.run()) }
    }

    /// Answers a call.
    func complete<Value: Encodable>(_ callID: CallID, with result: Result<Value, VarlinkError>) {
        server.complete(callID, with: result)
    }

    /// Answers a call if the workers have reported everything.
    func complete<Value: Encodable>(_ answer: PendingCalls.Answer<Value>?) {
        if let answer { server.complete(answer.callID, with: answer.result) }
    }

    /// Fails the calls that have waited too long for workers.
    func expireCalls(now: ContinuousClock.Instant) {
        for callID in pendingCalls.expire(now: now) {
            server.complete(callID, with: Result<NoParameters, VarlinkError>.failure(.busy))
        }
    }
}
