import DaemonTestSupport
import Logging
import Testing

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("SessionLog")
struct SessionLogTests {
    @Test("at most the limit is logged per second, and the next second reports the rest")
    func limits() {
        let recording = RecordingLog()
        var log = SessionLog()
        let limit = SessionLog.linesPerSecond

        let first = (0..<limit + 7).map {
            log.admit(now: 5_000 + UInt64($0) % 900, logger: recording.logger)
        }
        #expect(first.filter(\.self).count == limit)
        #expect(first.prefix(limit).contains(false) == false)
        #expect(recording.takeLines().isEmpty)
        #expect(log.dueAt == 6_000)

        let isAdmitted = log.admit(now: 6_001, logger: recording.logger)
        #expect(isAdmitted)
        let line = "warning 7 ended sessions were not logged: too many in one second"
        #expect(recording.takeLines() == [line])
        #expect(log.dueAt == .max)
    }

    @Test("unlogged sessions are reported even if no other session ends")
    func flushes() {
        let recording = RecordingLog()
        var log = SessionLog()
        for _ in 0...SessionLog.linesPerSecond {
            _ = log.admit(now: 5_000, logger: recording.logger)
        }
        log.flush(now: 5_999, logger: recording.logger)
        #expect(recording.takeLines().isEmpty)
        log.flush(now: log.dueAt, logger: recording.logger)
        #expect(recording.takeEvents().map { $0.metadata["unlogged"]?.description } == ["1"])
    }

    @Test("below the limit, nothing is reported")
    func keepsQuiet() {
        let recording = RecordingLog()
        var log = SessionLog()
        for second in 1...4 {
            for _ in 0..<SessionLog.linesPerSecond {
                let isAdmitted = log.admit(now: UInt64(second) * 1_000, logger: recording.logger)
                #expect(isAdmitted)
            }
        }
        #expect(recording.takeEvents().isEmpty)
    }
}
