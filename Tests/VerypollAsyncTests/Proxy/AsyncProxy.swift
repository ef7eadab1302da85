import SystemPackage
import TestSupport
import Verypoll
import VerypollAsync

/// A proxy the way a user of the library would write it, except that it ends after a number of
/// connections.
struct AsyncProxy: Sendable {
    let listener: Shared<AsyncTCPListener>
    let upstream: SocketAddress
    let executors: PollExecutors
    let seed: UInt64

    /// Forwards `count` connections, and returns when all have ended.
    func run(_ count: Int) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for number in 0..<count {
                let executor = executors.next()
                // The plan of a session is not known before its first bytes; any will do here.
                let plan = SessionPlan(seed: seed, number: number)
                let client = OneUse(
                    try await listener.value.accept(on: executor, until: .now + patience)
                )
                group.addTask(executorPreference: plan.place.preference(executor)) {
                    try await forward(client.take(), on: executor, plan)
                }
            }
        }
    }

    private func forward(
        _ client: consuming AsyncTCPStream,
        on executor: PollExecutor,
        _ plan: SessionPlan
    ) async throws {
        let server = try await AsyncTCPStream.connect(
            to: upstream,
            on: executor,
            until: .now + patience
        )
        let near = client.split()
        let far = server.split()
        let (nearReader, nearWriter) = (OneUse(near.reader), OneUse(near.writer))
        let (farReader, farWriter) = (OneUse(far.reader), OneUse(far.writer))
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await copy(nearReader.take(), farWriter.take(), step: plan.step) }
            group.addTask { await copy(farReader.take(), nearWriter.take(), step: plan.step) }
            for await isWhole in group where !isWhole { group.cancelAll() }
        }
    }
}

/// Copies bytes until their end, and closes the writer, so that its peer sees the end as well.
///
/// - Returns: Whether there was no error.
private func copy(
    _ reader: consuming AsyncStreamReader,
    _ writer: consuming AsyncStreamWriter,
    step: Int
) async -> Bool {
    var buffer = [UInt8](repeating: 0, count: step)
    do throws(Errno) {
        while true {
            let count = try await reader.read(into: buffer.mutableSpan)
            if count == 0 { return true }
            try await writer.writeAll(buffer.span.extracting(first: count))
        }
    } catch {
        return false
    }
}
