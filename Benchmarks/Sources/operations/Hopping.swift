import SystemPackage
import Verypoll
import VerypollAsync

/// A task moves to another executor and back, which wakes two threads.
func hop(count: Int) throws {
    try PollExecutor.run { first in
        let second = try PollExecutor.start()
        for _ in 0..<count {
            await withTaskExecutorPreference(second) { precondition(second.isCurrent) }
            precondition(first.isCurrent)
        }
        await second.shutdown()
    }
}

/// A task on the global pool sends a byte to a task on an executor, and receives the answer.
func askFromPool(count: Int) throws {
    try PollExecutor.run { executor in
        let pair = try AsyncUnixStream.pair(on: executor)
        let second = pair.second
        let answerer = Task(executorPreference: executor) {
            var byte: [UInt8] = [0]
            while try await second.read(into: byte.mutableSpan) > 0 {
                try await second.writeAll(byte.span)
            }
        }
        let first = pair.first
        try await Task.detached {
            precondition(!executor.isCurrent)
            var byte: [UInt8] = [1]
            for _ in 0..<count {
                try await first.writeAll(byte.span)
                _ = try await first.read(into: byte.mutableSpan)
            }
            try first.shutdown(.write)
        }.value
        try await answerer.value
    }
}
