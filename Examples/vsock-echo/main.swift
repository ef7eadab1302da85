// Echoes the bytes of one vsock client after another, or checks such an echo.
//
// Usage: vsock-echo ADDRESS                   listens, such as on *:7007
//        vsock-echo --check ADDRESS COUNT     sends COUNT bytes and compares the echo
//
// An address is CID:PORT. A virtual machine reaches its host at CID 2. With the kernel module
// vsock_loopback, a machine reaches itself at CID 1.
#if OSPoll && Net
import Glibc
import SystemPackage
import Verypoll

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// Waits for the events of one socket.
struct Waiter: ~Copyable {
    private var poll: Poll
    private var events = Events(capacity: 8)

    init(
        for source: borrowing some Source & ~Copyable,
        _ interest: Interest
    ) throws {
        let poll = try Poll()
        try poll.registry.register(source, token: Token(0), interest: interest)
        self.poll = poll
    }

    mutating func wait() throws {
        try poll.poll(&events, timeout: .seconds(30))
        if events.isEmpty { throw Failure(description: "nothing happened for 30 seconds") }
    }
}

/// The bytes of a check: 65,521 bytes, a prime number, again and again.
struct Pattern {
    private static let length = 65_521
    private let bytes = (0..<Pattern.length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Returns bytes from a position on, at least one and at most `limit`.
    func next(from position: Int, atMost limit: Int) -> ArraySlice<UInt8> {
        bytes[(position % Pattern.length)...].prefix(limit)
    }
}

/// Sends a client's bytes back until its end of file.
func echo(_ stream: borrowing VsockStream) throws {
    var waiter = try Waiter(for: stream, [.readable, .writable])
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        guard let count = try stream.read(into: buffer.mutableSpan) else {
            try waiter.wait()
            continue
        }
        if count == 0 { return }
        var sent = 0
        while sent < count {
            if let more = try stream.write(buffer.span.extracting(sent..<count)) {
                sent += more
            } else {
                try waiter.wait()
            }
        }
    }
}

func serve(_ address: VsockAddress) throws {
    let listener = try VsockListener(binding: address)
    var poll = try Poll()
    var events = Events(capacity: 8)
    try poll.registry.register(listener, token: Token(0), interest: .readable)
    try say("listening on \(try listener.localAddress())")
    while true {
        try poll.poll(&events)
        while let accepted = try listener.accept() {
            do {
                try echo(accepted.stream)
            } catch {
                try say("cannot echo to \(accepted.peer): \(error)")
            }
        }
    }
}

/// Sends bytes, half-closes, and compares the answer.
func check(_ address: VsockAddress, count: Int) throws {
    let stream = try VsockStream(connectingTo: address)
    var waiter = try Waiter(for: stream, [.readable, .writable])
    do {
        while try stream.finishConnect() == .pending { try waiter.wait() }
    } catch Errno.connectionReset {
        throw Failure(description: "nothing listens there")
    }
    let pattern = Pattern()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var (sent, received, isEnded) = (0, 0, false)
    while true {
        var hasMoved = false
        if sent < count {
            let bytes = pattern.next(from: sent, atMost: count - sent)
            if let more = try stream.write(bytes.span) { (sent, hasMoved) = (sent + more, true) }
        } else if !isEnded {
            try stream.shutdown(.write)
            isEnded = true
        }
        if let more = try stream.read(into: buffer.mutableSpan) {
            if more == 0 { break }
            var rest = buffer[..<more]
            while !rest.isEmpty {
                let expected = pattern.next(from: received, atMost: rest.count)
                guard rest.prefix(expected.count).elementsEqual(expected) else {
                    throw Failure(description: "the echo differs after \(received) bytes")
                }
                rest.removeFirst(expected.count)
                received += expected.count
            }
            hasMoved = true
        }
        if !hasMoved { try waiter.wait() }
    }
    guard received == count else {
        throw Failure(description: "the echo has \(received) bytes instead of \(count)")
    }
    try say("\(count) bytes equal")
}

/// Prints a line without buffering.
func say(_ line: String) throws {
    try FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
}

/// Prints the reason on standard error, and exits.
func fail(_ reason: String, status: Int32) -> Never {
    _ = try? FileDescriptor.standardError.writeAll("vsock-echo: \(reason)\n".utf8)
    exit(status)
}

let arguments = CommandLine.arguments.dropFirst()
let isCheck = arguments.first == "--check" && arguments.count == 3
let text = isCheck ? arguments[2] : arguments.first ?? "*:7007"
guard let address = VsockAddress(text) else {
    fail("\(text) is not a valid address; expected one such as *:7007 or 2:7007", status: 2)
}
do {
    if isCheck {
        guard let count = Int(arguments[3]), count >= 0 else {
            fail("\(arguments[3]) is not a valid number of bytes", status: 2)
        }
        try check(address, count: count)
    } else {
        try serve(address)
    }
} catch {
    fail("\(address): \(error)", status: 1)
}
#else
print("vsock-echo needs the traits OSPoll and Net")
#endif
