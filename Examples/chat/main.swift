// A chat over a Unix-domain socket: each line from a member is sent to all others.
//
// Usage: chat PATH     (then, in several terminals: socat - UNIX-CONNECT:PATH)
//
// SIGINT and SIGTERM stop it, and it removes the socket file. A member that does not read is
// disconnected when its unsent lines exceed a limit.
#if OSExt && Net
import Glibc
import SystemPackage
import Verypoll

struct Chat: ~Copyable {
    private static let listening = Token(-1)  // Tokens of keys are never negative.
    private static let signalled = Token(-2)

    private var poll: Poll
    private let signals: SignalSource
    private let listener: UnixListener
    private var members: Slab<Member>
    private var scratch = [UInt8](repeating: 0, count: 16_384)

    init(path: FilePath) throws {
        let signals = try SignalSource(blocking: [.interrupt, .terminate])
        let listener = try UnixListener(binding: .path(path))
        let poll = try Poll()
        try poll.registry.register(signals, token: Self.signalled, interest: .readable)
        try poll.registry.register(
            listener,
            token: Self.listening,
            interest: .readable,
            mode: .level
        )
        // Set the noncopyable fields last: nothing may throw after the first is set.
        self.signals = signals
        self.listener = listener
        self.poll = poll
        members = Slab(capacity: 500)
    }

    /// Serves until a signal arrives, and returns the signal.
    mutating func run() throws -> Signal {
        var events = Events(capacity: 64)
        while true {
            try poll.poll(&events)
            for event in events {
                if event.token == Self.signalled {
                    if let signal = try signals.next() { return signal }
                } else if event.token == Self.listening {
                    try accept()
                } else if let key = SlabKey(event.token), members.contains(key) {
                    serve(key)
                }
            }
        }
    }

    /// Accepts one member.
    ///
    /// The listener is watched in level mode, so the next poll reports others.
    private mutating func accept() throws {
        guard let accepted = try listener.accept() else { return }
        guard case .stored(let key) = members.insert(Member(accepted.stream)) else { return }
        try poll.registry.register(
            members[key].stream,
            token: key.token,
            interest: [.readable, .writable]
        )
        broadcast("* \(key.index) joined", from: key)
        do { try members[key].send(Array("* you are \(key.index)".utf8)) } catch { remove(key) }
    }

    private mutating func serve(_ key: SlabKey) {
        var lines: [[UInt8]] = []
        var stays = false
        do {
            try members[key].flush()
            stays = try members[key].receive(&scratch, into: &lines)
        } catch {}
        for line in lines {
            broadcast("\(key.index): \(String(decoding: line, as: UTF8.self))", from: key)
        }
        if !stays { remove(key) }
    }

    /// Sends a line to all members but the sender.
    private mutating func broadcast(_ line: String, from sender: SlabKey) {
        let bytes = Array(line.utf8)
        for index in 0..<members.endIndex {
            guard let key = members.key(at: index), key != sender else { continue }
            do { try members[key].send(bytes) } catch { remove(key) }
        }
    }

    private mutating func remove(_ key: SlabKey) {
        if members.remove(key) != nil { broadcast("* \(key.index) left", from: key) }
    }
}

guard let path = CommandLine.arguments.dropFirst().first else { fatalError("usage: chat PATH") }
var chat = try Chat(path: FilePath(path))
try FileDescriptor.standardOutput.writeAll("listening on \(path)\n".utf8)
_ = try chat.run()
unsafe unlink(path)
#else
print("chat needs the traits OSExt, OSPoll and Net")
#endif
