import COperations

/// An operation of the library, and the same operation in C with the same system calls.
struct Operation: Sendable {
    let name: String
    let swift: @Sendable (_ count: Int) throws -> Void
    let c: @Sendable (_ count: Int) -> Void

    static let all = [
        Operation(name: "poll without events", swift: pollNothing, c: c_poll),
        Operation(name: "register, reregister, deregister", swift: register, c: c_register),
        Operation(name: "wake, poll", swift: wake, c: c_wake),
        Operation(name: "wake a thread that wakes", swift: wakeThread, c: c_wake_thread),
        Operation(name: "start and cancel a timer", swift: startTimer, c: c_start_timer),
        Operation(name: "start a timer, poll, read", swift: runTimer, c: c_run_timer),
        Operation(name: "Unix stream: write, poll, read", swift: passStream, c: c_pass_stream),
        Operation(
            name: "UDP: send to, poll, receive from",
            swift: passDatagram,
            c: c_pass_datagram
        ),
        Operation(name: "task: hop to an executor and back", swift: hop, c: c_wake_thread),
        Operation(name: "task of the pool: write, read", swift: askFromPool, c: c_ask_thread),
    ]
}
