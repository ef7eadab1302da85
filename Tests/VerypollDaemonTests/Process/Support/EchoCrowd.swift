internal import Glibc
internal import SystemPackage
internal import TestSupport

/// Many clients of an echo service, each of which sends its own bytes and expects them back in
/// order; one thread and poll(2) drive them all.
struct EchoCrowd {
    /// The result over all connections.
    struct Outcome: Equatable {
        /// How many clients got all their bytes back, and then end of file.
        var completed = 0
        /// How many bytes they sent in total.
        var byteCount = 0
        /// The failures of the others.
        var failures: [String] = []
    }

    /// The address of the service.
    var address: String
    /// The total number of clients.
    var clientCount: Int
    /// How many clients are connected at a time.
    var concurrency = 1
    /// How many bytes each client sends.
    var sizes: ClosedRange<Int>
    /// The longest pause between two writes or two reads, in milliseconds.
    var longestPause: UInt64 = 0
    /// Whether a client shuts down writing after sending everything, rather than after receiving
    /// everything.
    var finishesEarly = true

    /// Runs all clients, and returns when the last one has finished.
    func run() throws -> Outcome {
        var outcome = Outcome()
        var members: [Member] = []
        var started = 0
        while started < clientCount || !members.isEmpty {
            while members.count < concurrency, started < clientCount {
                members.append(try makeMember())
                started += 1
            }
            try Self.wait(for: members)
            members.removeAll { member in
                guard let end = step(member) else { return false }
                switch end {
                case .completed:
                    outcome.completed += 1
                    outcome.byteCount += member.size
                case .failed(let why): outcome.failures.append(why)
                }
                return true
            }
        }
        return outcome
    }

    private func makeMember() throws -> Member {
        // The sizes' logarithm is uniform, so that small and large transfers are equally frequent.
        let (low, high) = (log(Double(sizes.lowerBound)), log(Double(sizes.upperBound)))
        let size = Int(exp(Double.random(in: low...high)))
        return Member(
            client: try Client(address: address),
            size: min(max(size, sizes.lowerBound), sizes.upperBound)
        )
    }

    /// Waits until one of the clients can continue.
    private static func wait(for members: [Member]) throws {
        let now = milliseconds()
        var timeout = Int32(patience.components.seconds) * 1000
        var entries = members.map { member in
            var events: Int32 = 0
            if member.sent < member.size {
                if member.writesAt <= now {
                    events |= POLLOUT
                } else {
                    timeout = min(timeout, Int32(member.writesAt - now))
                }
            }
            if member.readsAt <= now {
                events |= POLLIN
            } else {
                timeout = min(timeout, Int32(member.readsAt - now))
            }
            return pollfd(
                fd: member.client.descriptor.rawValue,
                events: Int16(events),
                revents: 0
            )
        }
        guard unsafe poll(&entries, nfds_t(entries.count), timeout) >= 0 else {
            throw Errno(rawValue: errno)
        }
        if entries.allSatisfy({ $0.revents == 0 }), timeout >= 1000 {
            throw TimedOut(waitingFor: "any of \(entries.count) clients")
        }
        for (member, entry) in zip(members, entries) { member.readiness = Int32(entry.revents) }
    }

    private func step(_ member: Member) -> Member.End? {
        do throws(Errno) {
            let now = Self.milliseconds()
            if member.readiness & POLLOUT != 0 {
                try member.send()
                member.writesAt = now + pause()
                if member.sent == member.size, finishesEarly { try member.client.finishSending() }
            }
            if member.readiness & (POLLIN | POLLHUP | POLLERR) != 0 {
                let end = try member.receive()
                member.readsAt = now + pause()
                if end == nil, member.received == member.size, !finishesEarly {
                    try member.client.finishSending()
                }
                return end
            }
            return nil
        } catch {
            return .failed("\(error) after \(member.received) of \(member.size) bytes")
        }
    }

    /// Returns a pause, mostly none, so that some clients are fast and some are slow.
    private func pause() -> UInt64 {
        guard longestPause > 0, UInt8.random(in: 0..<4) == 0 else { return 0 }
        return UInt64.random(in: 0...longestPause)
    }

    private static func milliseconds() -> UInt64 {
        UInt64((ContinuousClock.now - beginning) / .milliseconds(1))
    }
}

extension EchoCrowd {
    /// One client.
    private final class Member {
        enum End {
            case completed
            case failed(String)
        }

        let client: Client
        /// How many bytes it sends.
        let size: Int
        /// Where these bytes begin in ``noise``.
        let start: Int
        var sent = 0
        var received = 0
        var readiness: Int32 = 0
        /// When its pauses end.
        var writesAt: UInt64 = 0
        var readsAt: UInt64 = 0

        init(client: consuming Client, size: Int) {
            self.size = size
            // A random start, so that another client's bytes are recognized as wrong.
            start = Int.random(in: 0...(noise.count - size))
            self.client = client
        }

        /// Sends once.
        func send() throws(Errno) {
            let limit = Int.random(in: 1...262_144)
            let end = min(sent + limit, size)
            let count = unsafe noise.withUnsafeBytes { bytes in
                let piece = unsafe bytes[start + sent..<start + end]
                return unsafe Glibc.send(
                    client.descriptor.rawValue,
                    UnsafeRawBufferPointer(rebasing: piece).baseAddress,
                    piece.count,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
                )
            }
            if count < 0, errno == EAGAIN { return }
            if count < 0 { throw Errno(rawValue: errno) }
            sent += count
        }

        /// Reads once and compares; returns how the client ended, if it has.
        func receive() throws(Errno) -> End? {
            let result = unsafe withUnsafeTemporaryAllocation(
                byteCount: 131_072,
                alignment: 16
            ) { buffer -> (count: Int, isEqual: Bool, error: Int32) in
                let flags = Int32(MSG_DONTWAIT)
                let number = client.descriptor.rawValue
                let count = unsafe recv(number, buffer.baseAddress, buffer.count, flags)
                guard count > 0 else { return (count, true, errno) }
                guard received + count <= sent else { return (count, false, 0) }
                let isEqual = unsafe noise.withUnsafeBytes { bytes in
                    let expected = unsafe bytes[start + received..<start + received + count]
                    let base = unsafe UnsafeRawBufferPointer(rebasing: expected).baseAddress
                    guard let left = buffer.baseAddress, let right = unsafe base else {
                        return false
                    }
                    return unsafe memcmp(left, right, count) == 0
                }
                return (count, isEqual, 0)
            }
            if result.count < 0 {
                if result.error == EAGAIN { return nil }
                throw Errno(rawValue: result.error)
            }
            if !result.isEqual { return .failed("wrong bytes after \(received) of \(size)") }
            received += result.count
            guard result.count == 0 else { return nil }
            return received == size
                ? .completed : .failed("end of file after \(received) of \(size) bytes")
        }
    }
}

/// The start of the millisecond clock.
private let beginning = ContinuousClock.now

/// Random bytes; each client sends a slice of them.
private let noise: [UInt8] = {
    var generator = SystemRandomNumberGenerator()
    var words: [UInt64] = []
    for _ in 0..<786_432 { words.append(generator.next()) }
    return unsafe words.withUnsafeBytes { unsafe Array($0) }
}()
