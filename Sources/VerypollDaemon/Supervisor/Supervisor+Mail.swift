#if Net && OSExt
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import Verypoll
internal import VerypollControl

extension Supervisor {
    /// Does what the mailbox says.
    func handleMail() throws {
        for message in mailbox.takeAll() {
            switch message {
            case .prepared:
                guard case .starting = phase else { continue }  // A signal came first.
                workersDone += 1
                if workersDone == workers.count { try begin() }
            case .started:
                guard case .starting = phase else { continue }  // A signal came first.
                workersDone += 1
                if workersDone == workers.count { becomeReady() }
            case .controlJob(let result): try control.finish(result, handler: self)
            case .configurationRead(let outcome): reload.finishReading(outcome)
            case .readingEnded: reload.endHang()
            case .adopted(let plan): finishRollout(of: plan)
            case .failed(let error):
                throw LaunchError(description: "a worker cannot go on: \(error)")
            case .pong(let worker):
                if watchdog?.answer(of: worker) == true {
                    tell { () throws(Errno) in try notifier.watchdog() }
                }
            case .sessions(let sessions, let isTruncated, let ticket):
                complete(questions.add(sessions, isTruncated, to: ticket))
            case .session(let session, let ticket):
                complete(questions.finish(ticket, session: session))
            case .killed(let isFound, let ticket):
                complete(questions.finish(ticket, isFound: isFound))
            case .tookUp(let outcome): restart.takingUp.add(outcome)
            case .packing(let worker, let ids): noteSessions(ids, of: worker)
            case .packed(let parcel): store(parcel)
            case .handedOver(let closedCount): restart.handOver.closedCount += closedCount
            case .serverChanged(let upstream, let server, let change, let timestamp):
                let index = ServerIndex(upstream: upstream, server: server)
                upstreamWatch.note(change, of: index, at: timestamp)
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
#endif
