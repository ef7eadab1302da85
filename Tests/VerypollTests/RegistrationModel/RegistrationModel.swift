#if OSPoll && Net
import SystemPackage
import TestSupport
import Verypoll

/// A poll with up to 64 sockets that are used at random, and their expected state.
///
/// ``run(steps:)`` takes random steps, which update the model as documented, and compares the
/// poll's reports with the required and allowed ones from time to time.
struct RegistrationModel: ~Copyable {
    static let endCount = 64

    var poll: Poll
    let clone: Registry
    var events = Events(capacity: endCount)
    var fewEvents = Events(capacity: 3)

    /// The two ends of a pair have numbers that differ in the last bit.
    var ends = [ModelEnd](repeating: ModelEnd(), count: endCount)

    /// The end registered under each token.
    var owners: [Token: Int] = [:]

    var generator: Generator
    var log = ModelLog()

    init(seed: UInt64) throws {
        let poll = try Poll()
        clone = try poll.registry.clone()
        generator = Generator(state: seed)
        self.poll = poll
    }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            log.beginStep()
            try step()
            if Int.random(in: 0..<3, using: &generator) == 0 { try check() }
        }
        try check()
    }

    private mutating func step() throws {
        let end = Int.random(in: 0..<Self.endCount, using: &generator)
        guard ends[end].socket != nil else {
            if ends[end ^ 1].socket == nil { try open(end) }
            return
        }
        // Something has happened to the pair, so a new edge may arrive.
        ends[end].registration?.isQuiet = false
        ends[end ^ 1].registration?.isQuiet = false
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<16: try register(end)
        case 16..<26: try reregister(end)
        case 26..<32: try deregister(end)
        case 32..<56: try write(end, Self.sizes.randomElement(using: &generator) ?? 1)
        case 56..<57: try fill(end)
        case 57..<78: try read(end, atMost: Self.sizes.randomElement(using: &generator) ?? 1)
        case 78..<92: try drain(end)
        case 92..<96: try shutdown(end)
        default: try close(end)
        }
    }

    private static let sizes = [1, 10, 100, 1000, 4096, 65_536]

    private mutating func open(_ end: Int) throws {
        let isTCP = Int.random(in: 0..<3, using: &generator) == 0
        let (one, two) = (end, end ^ 1)
        for end in [one, two] { ends[end] = ModelEnd(kind: isTCP ? .tcp : .unix) }
        if isTCP {
            let pair = try TCPPair()
            // Otherwise a small write might wait for the acknowledgement of the previous one.
            try pair.client.setNoDelay(true)
            try pair.server.setNoDelay(true)
            ends[one].socket = HeldSocket(pair.client)
            ends[two].socket = HeldSocket(pair.server)
        } else {
            let pair = try UnixStream.pair()
            ends[one].socket = HeldSocket(pair.first)
            ends[two].socket = HeldSocket(pair.second)
        }
        log.note("open \(name(one)) and \(name(two))", end)
    }

    /// Closes an end, which also deregisters it.
    private mutating func close(_ end: Int) throws {
        guard try settle(end) else { return }
        let (other, isUnread) = (end ^ 1, ends[end].unread > 0)
        let wasDone = isDone(end)
        log.note("close \(name(end))\(isUnread ? " with bytes unread" : "")", end)
        forget(end)
        ends[end].socket = nil
        ends[end].becomeEmpty()
        guard ends[other].socket != nil, !ends[other].isBroken else { return }
        ends[other].receiveEnded = true
        if ends[end].kind == .unix { ends[other].sendEnded = true }
        if isUnread, ends[end].kind == .unix || !wasDone { ends[other].isBroken = true }
        try awaitEnd(of: other)
    }

    private mutating func shutdown(_ end: Int) throws {
        guard try settle(end) else { return }
        let direction = [ShutdownDirection.read, .write, .both].randomElement(using: &generator)
        guard let direction, let socket = ends[end].socket else { return }
        let (other, isDone) = (end ^ 1, isDone(end))
        log.note("shutdown \(name(end)) \(direction)", end)
        do {
            try socket.shutdown(direction)
            try require(!isDone, "a shutdown succeeded after both directions had ended", end)
        } catch Errno.socketNotConnected {
            try require(isDone, "a shutdown failed because there was no connection", end)
        }
        let (endsRead, endsWrite) = (direction != .write, direction != .read)
        if endsRead { ends[end].receiveEnded = true }
        if endsWrite { ends[end].sendEnded = true }
        guard !ends[end].isBroken, ends[other].socket != nil else { return }
        // A Unix socket reports both shutdowns to its peer; shutting down reading over TCP sends
        // nothing.
        if endsRead, ends[end].kind == .unix { ends[other].sendEnded = true }
        if endsWrite { ends[other].receiveEnded = true }
        if endsWrite { try awaitEnd(of: other) }
    }

    /// Returns whether both directions of a TCP connection have ended, so that the kernel has
    /// discarded it.
    private func isDone(_ end: Int) -> Bool {
        guard ends[end].kind == .tcp else { return false }
        let other = ends[end ^ 1]
        return ends[end].isBroken || ends[end].sendEnded && (other.socket == nil || other.sendEnded)
    }

    /// Empties a TCP connection with bytes in the writer's send buffer, because an end of file
    /// would arrive late.
    ///
    /// - Returns: Whether there was nothing to empty.
    private mutating func settle(_ end: Int) throws -> Bool {
        var wasSettled = true
        for end in [end, end ^ 1] where ends[end].isRestless {
            wasSettled = false
            try drain(end)
        }
        return wasSettled
    }

    /// Waits until loopback has delivered the peer's end of file or reset to a TCP end.
    func awaitEnd(of end: Int) throws {
        guard ends[end].kind == .tcp, let socket = ends[end].socket else { return }
        let came = socket.wait(for: ends[end].isBroken ? .hangUp : .readHangUp)
        try require(came, "\(name(end)) did not see its peer's end", end)
    }

    func name(_ end: Int) -> String { "\(end) (\(ends[end].kind))" }

    func require(_ condition: Bool, _ what: @autoclosure () -> String, _ end: Int? = nil) throws {
        if !condition { throw ModelFailure(description: what(), end: end) }
    }
}

/// A difference between the model and the library.
struct ModelFailure: Error, CustomStringConvertible {
    let description: String
    var end: Int?
}

/// The latest steps, to explain a failure.
struct ModelLog {
    private var lines: [(text: String, end: Int?)] = []
    private var step = 0

    mutating func beginStep() { step += 1 }

    mutating func note(_ what: String, _ end: Int? = nil) {
        if lines.count == 4000 { lines.removeFirst(2000) }
        lines.append(("\(step): \(what)", end))
    }

    /// Returns the last 20 lines about the failing pair, followed by the last 30 lines of all.
    func tail(after failure: any Error) -> String {
        let end = (failure as? ModelFailure)?.end
        let about = lines.filter { line in end.map { line.end == $0 || line.end == $0 ^ 1 } ?? false
        }
        return [about.suffix(20), lines.suffix(30)]
            .map { $0.map(\.text).joined(separator: "\n") }
            .joined(separator: "\n...\n")
    }
}
#endif
