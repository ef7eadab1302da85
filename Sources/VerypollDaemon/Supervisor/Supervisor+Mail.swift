internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollControl
internal import VerypollServer

extension Supervisor {
    /// Does what other threads ask for.
    func handleMail() throws {
        for message in mailbox.takeAll() {
            switch message {
            case .controlJob(let result): try control.finish(result, handler: self)
            case .configurationRead(let outcome): reload.finishReading(outcome)
            case .readingEnded: reload.endHang()
            }
        }
    }

    /// Acts on what the workers report.
    func handleReports() throws {
        for report in reports.takeAll() {
            switch report {
            case .prepared:
                guard case .starting = phase else { continue }  // A signal came first.
                workersDone += 1
                if workersDone == workers.count { try begin() }
            case .started:
                guard case .starting = phase else { continue }  // A signal came first.
                workersDone += 1
                if workersDone == workers.count { becomeReady() }
            case .adopted(let snapshot): finishRollout(of: snapshot)
            case .failed(let error):
                throw LaunchError(description: "a worker cannot go on: \(error)")
            case .pong(let worker):
                if watchdog?.answer(of: worker) == true {
                    tell { () throws(Errno) in try notifier.watchdog() }
                }
            case .sessions(let sessions, let isTruncated, let callID):
                complete(
                    pendingCalls.add(sessions.map { Status.Session($0) }, isTruncated, to: callID)
                )
            case .session(let session, let callID):
                complete(pendingCalls.finish(callID, session: session.map { Status.Session($0) }))
            case .killed(let isFound, let callID):
                complete(pendingCalls.finish(callID, isFound: isFound))
            case .restored(let outcome): restart.restoreOutcome.add(outcome)
            case .packing(let worker, let ids): noteSessions(ids, of: worker)
            case .packed(let bundle): store(bundle)
            case .handedOff(let closedCount): restart.handoff.closedCount += closedCount
            case .serverChanged(let upstream, let server, let change, let timestamp):
                let index = ServerIndex(upstream: upstream, server: server)
                upstreamMonitor.note(change, of: index, at: timestamp)
            case .writeMetrics(let format, let worker): noteAsker(worker, of: format)
            case .empty:
                // It may come late, when the stop has begun.
                if case .draining = phase { workersDone += 1 }
            case .ended:
                if case .stopping = phase { workersDone += 1 }
            }
        }
        answerMetrics()
        if case .draining = phase, workersDone == workers.count {
            stop(because: "no session is left")
        }
    }
}
