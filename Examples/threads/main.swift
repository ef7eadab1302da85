// Echoes on several threads, each with its own poll, until SIGTERM or SIGINT.
//
// Usage: threads [ADDRESS]     (default 127.0.0.1:7007)
//
// The threads share one listener, so that an idle thread accepts the next client. The main thread
// waits for signals and holds the wakers of the other threads. A thread that runs out of
// descriptors stops accepting until a client leaves or a pause is over.
#if OSPoll && OSExt && Net
import Foundation
import SystemPackage
import Verypoll

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

func run() throws {
    let text = CommandLine.arguments.dropFirst().first ?? "127.0.0.1:7007"
    guard let address = SocketAddress(text) else {
        fatalError("\(text) is not a valid address; expected one such as 127.0.0.1:7007")
    }
    // Before any thread starts, so that all threads block the signals.
    let signals = try SignalSource(blocking: [.terminate, .interrupt])
    var poll = try Poll()
    try poll.registry.register(signals, token: Token(0), interest: .readable)
    let control = Control(main: try Waker(registry: poll.registry, token: Token(1)))

    let listener = try TCPListener(binding: address)
    for number in 0..<2 { try startWorker(number, on: listener, control) }
    try say("listening on \(try listener.localAddress())")

    var events = Events(capacity: 8)
    while !control.isDone {
        try poll.poll(&events)
        while let signal = try signals.next() {
            try say("stopping at signal \(signal.rawValue)")
            control.stop()
        }
    }
    try say("stopped")
}

/// Serves on a new thread until the program stops.
func startWorker(
    _ number: Int,
    on listener: borrowing TCPListener,
    _ control: Control
) throws {
    // A duplicate of the descriptor shares the backlog.
    let socket = OwnedFD(adopting: try listener.fileDescriptor.duplicate())
    let listener = try TCPListener(adopting: socket)
    control.workerStarts()
    Thread.detachNewThread {
        do {
            var worker = try Worker(listener, capacity: 10_000)
            control.add(try Waker(registry: worker.poll.registry, token: Worker.waking))
            try worker.run(listener, until: control)
        } catch {
            try? say("worker \(number) failed: \(error)")
            control.stop()
        }
        control.workerEnds()
    }
}

try run()
#else
print("threads needs the traits OSPoll, OSExt and Net")
#endif
