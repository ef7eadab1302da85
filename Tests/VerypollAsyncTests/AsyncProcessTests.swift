import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll
import VerypollAsync

@Suite("AsyncProcess", .timeLimit(.minutes(1)))
struct AsyncProcessTests {
    @Test("the task waits for a child's exit, and learns its status", arguments: Place.allCases)
    func exits(place: Place) async throws {
        try await place.run { executor in
            for status in [0, 3, 255] as [Int32] {
                let child = try Child("read line; exit \(status)")
                let process = Shared(try AsyncProcess(processID: child.processID, on: executor))
                let task = Task(executorPreference: place.preference(executor)) {
                    try await process.value.termination()
                }
                await letOthersWait()
                child.goOn()
                #expect(try await task.value == .exited(status))
                await #expect(throws: Errno.noChildProcess) {
                    _ = try await process.value.termination()
                }
            }
        }
    }

    @Test("a child that has ended before is reaped at once", arguments: Place.allCases)
    func endedBefore(place: Place) async throws {
        try await place.run { executor in
            let child = try Child("exit 4")
            let process = try AsyncProcess(processID: child.processID, on: executor)
            try await process.readable()
            let again = try AsyncProcess(processID: child.processID, on: executor)
            #expect(try await again.termination() == .exited(4))
        }
    }

    @Test("a child that a signal has killed reports the signal", arguments: Place.allCases)
    func isKilled(place: Place) async throws {
        try await place.run { executor in
            let child = try Child("read line")
            let process = try AsyncProcess(processID: child.processID, on: executor)
            try process.process.send(.terminate)
            #expect(try await process.termination() == .signaled(.terminate))
        }
    }

    @Test("a wait ends at its deadline or when canceled, and the child runs on")
    func ends() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                let child = try Child("read line")
                let process = Shared(try AsyncProcess(processID: child.processID, on: executor))
                await process.value.expectDeadline { process, deadline in
                    _ = try await process.termination(until: deadline)
                }
                let task = Task(executorPreference: place.preference(executor)) {
                    _ = try await process.value.termination()
                }
                await letOthersWait()
                task.cancel()
                await #expect(throws: Errno.canceled) { try await task.value }
                child.goOn()
                #expect(try await process.value.termination() == .exited(0))
            }
        }
    }

    @Test("many children end in any order, and each wait gets the right one")
    func areMany() async throws {
        for place in Place.allCases {
            try await place.run { executor in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for status in 1...20 as ClosedRange<Int32> {
                        group.addTask(executorPreference: place.preference(executor)) {
                            let child = try Child("exit \(status)")
                            let process = try AsyncProcess(
                                processID: child.processID,
                                on: executor
                            )
                            #expect(try await process.termination() == .exited(status))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("another parent's process can be watched, but not reaped")
    func isNotOurs() async throws {
        try await withExecutor { executor in
            let process = try AsyncProcess(processID: getppid(), on: executor)
            await #expect(throws: Errno.noChildProcess) { _ = try await process.termination() }
            await process.expectDeadline { process, deadline in
                try await process.readable(until: deadline)
            }
        }
    }
}

/// A shell that a test has started; it goes on when told to, and ends with its input.
private struct Child: ~Copyable {
    let processID: Int32
    private let input: FileDescriptor

    init(_ script: String) throws {
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        let words = ["/bin/sh", "-c", script]
        let processID = try startProcess(words, input: pipe.readEnd, output: nil)
        try pipe.readEnd.close()
        self.processID = processID
        input = pipe.writeEnd
    }

    /// Lets the shell's `read` return.
    func goOn() {
        _ = try? input.writeAll([0x0A])
    }

    deinit {
        try? input.close()
    }
}
