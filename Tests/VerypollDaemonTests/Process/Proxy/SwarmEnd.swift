internal import Glibc
internal import SystemPackage
internal import TestSupport

/// One end of a session in a swarm, which follows its plan without blocking.
final class SwarmEnd {
    let plan: EndPlan
    let transport: Transport
    /// What it sends, and what it expects, before the bytes of its plan.
    private let preamble: Preamble
    /// The sent and received bytes of the preambles.
    private(set) var preambleCount = 0
    private(set) var socket: Client?
    private(set) var sent = 0
    private(set) var received = 0
    /// Whether it has shut down writing.
    private(set) var hasFinished = false
    /// Whether it has read the other end's end of file.
    private(set) var hasEnded = false
    /// Whether it has broken the connection.
    private(set) var hasBroken = false
    /// The error that it received because the connection was broken.
    private(set) var error: Errno?
    /// Whether it was connected and is closed.
    private(set) var isOver = false
    private var generator: Generator
    private var writesAt: UInt64 = 0
    private var readsAt: UInt64 = 0
    private var breaksAt = UInt64.max

    /// Bytes before those of a plan.
    enum Preamble {
        case none
        case sends([UInt8])
        case expects([UInt8])
    }

    init(
        _ plan: EndPlan,
        over transport: Transport,
        seed: UInt64,
        preamble: Preamble = .none
    ) {
        self.plan = plan
        self.preamble = preamble
        self.transport = transport
        generator = Generator(state: seed)
    }

    /// A description of its state, for failure reports.
    var state: String {
        """
        sent \(sent) of \(plan.size)\(hasFinished ? " and finished" : ""), received \(received)\
        \(hasEnded ? " and the end" : "")\(hasBroken ? ", broke it" : "")\
        \(error.map { ", was told \($0)" } ?? "")\(isOver ? ", over" : "")
        """
    }

    func begin(_ socket: consuming Client, now: UInt64) {
        self.socket = consume socket
        readsAt = plan.readsNothing ? .max : now + plan.readDelay
        breaksAt = plan.breaksAfter.map { now + $0 } ?? .max
        // If the buffer keeps its size, no rule of the model is violated.
        if plan.hasSmallBuffer { try? self.socket?.setReceiveBuffer(4096) }
    }

    /// Cancels the end before it is connected.
    func cancel() {
        isOver = true
    }

    /// Returns the events that the end waits for.
    ///
    /// - Returns: The descriptor and events for poll(2), and the millisecond at which a pause ends;
    ///   `nil` if it waits for nothing.
    func interest(other: SwarmEnd, now: UInt64) -> (entry: pollfd, wakesAt: UInt64)? {
        guard let descriptor = socket?.descriptor.rawValue else { return nil }
        var events: Int32 = 0
        var wakesAt = breaksAt
        if mayWrite(other) {
            if writesAt <= now { events |= POLLOUT } else { wakesAt = min(wakesAt, writesAt) }
        }
        if !hasEnded {
            if readsAt <= now { events |= POLLIN } else { wakesAt = min(wakesAt, readsAt) }
        }
        // Otherwise, an end that pauses would be woken by a hang-up again and again.
        let number = events == 0 ? -1 : descriptor
        return (pollfd(fd: number, events: Int16(events), revents: 0), wakesAt)
    }

    /// Performs the steps that the events allow.
    ///
    /// - Returns: A description of a failure, or `nil`.
    func step(_ readiness: Int16, other: SwarmEnd, now: UInt64) -> String? {
        guard socket != nil else { return nil }
        if breaksAt <= now { return breakOff() }
        if let moment = plan.breaksAt, sent + received >= moment { return breakOff() }
        let readiness = Int32(readiness)
        if readiness & (POLLOUT | POLLERR | POLLHUP) != 0, mayWrite(other), writesAt <= now {
            if let problem = send(other: other) { return problem }
            writesAt = now + pause()
        }
        if readiness & (POLLIN | POLLERR | POLLHUP) != 0, readsAt <= now, !hasEnded {
            if let problem = receive(other: other) { return problem }
            readsAt = now + pause()
        }
        return finish(other: other)
    }

    /// The bytes of the preamble that are still to be sent.
    private var unsentPreamble: ArraySlice<UInt8> {
        guard case .sends(let bytes) = preamble else { return [] }
        return bytes[preambleCount...]
    }

    /// The bytes of the preamble that are still to be received.
    private var awaitedPreamble: ArraySlice<UInt8> {
        guard case .expects(let bytes) = preamble else { return [] }
        return bytes[preambleCount...]
    }

    private func mayWrite(_ other: SwarmEnd) -> Bool {
        if !unsentPreamble.isEmpty { return error == nil }
        guard sent < plan.size, error == nil, !hasFinished else { return false }
        switch plan.beginning {
        case .atOnce: return true
        case .afterBytes: return received >= other.plan.size || hasEnded
        case .afterEnd: return hasEnded
        }
    }

    private func send(other: SwarmEnd) -> String? {
        guard let descriptor = socket?.descriptor.rawValue else { return nil }
        let rest = unsentPreamble
        if !rest.isEmpty {
            let piece = rest.prefix(.random(in: 1...rest.count, using: &generator))
            do throws(Errno) {
                preambleCount += try socket?.sendNow(piece) ?? 0
                return nil
            } catch {
                return note(error, other: other)
            }
        }
        let most = min(plan.longestPiece, plan.size - sent)
        let limit = Int.random(in: 1...most, using: &generator)
        let count = unsafe Noise.withBytes { bytes in
            let base = unsafe bytes.baseAddress.map { unsafe $0 + plan.start + sent }
            return unsafe Glibc.send(descriptor, base, limit, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if count >= 0 {
            sent += count
        } else if errno != EAGAIN {
            return note(Errno(rawValue: errno), other: other)
        }
        return nil
    }

    private func receive(other: SwarmEnd) -> String? {
        guard let descriptor = socket?.descriptor.rawValue else { return nil }
        let rest = awaitedPreamble
        if !rest.isEmpty {
            do throws(Errno) {
                let bytes = try socket?.receiveNow(atMost: rest.count)
                if let bytes, !rest.starts(with: bytes) { return "another preamble" }
                preambleCount += bytes?.count ?? 0
                guard bytes?.isEmpty == true else { return nil }
                hasEnded = true
                return other.hasBroken ? nil : "an end of file within the preamble"
            } catch {
                return note(error, other: other)
            }
        }
        let limit = Int.random(in: 1...plan.longestRead, using: &generator)
        let room = other.sent - received
        let (count, isEqual, code) = unsafe withUnsafeTemporaryAllocation(
            byteCount: limit,
            alignment: 16
        ) { buffer in
            let count = unsafe recv(descriptor, buffer.baseAddress, limit, Int32(MSG_DONTWAIT))
            let code = errno
            guard count > 0, count <= room else { return (count, count <= room, code) }
            let isEqual = unsafe Noise.withBytes { bytes in
                let expected = unsafe bytes.baseAddress.map {
                    unsafe $0 + other.plan.start + received
                }
                guard let left = buffer.baseAddress, let right = unsafe expected else {
                    return false
                }
                return unsafe memcmp(left, right, count) == 0
            }
            return (count, isEqual, code)
        }
        if count < 0 { return code == EAGAIN ? nil : note(Errno(rawValue: code), other: other) }
        guard isEqual else { return "\(count) bytes that do not continue the other's" }
        received += count
        guard count == 0 else { return nil }
        hasEnded = true
        if other.hasFinished, received == other.sent { return nil }
        // A Unix-domain socket has no reset; it simply closes.
        if other.hasBroken, other.transport == .unix || transport == .unix { return nil }
        return "an end of file that the other has not sent, or not yet"
    }

    private func note(_ error: Errno, other: SwarmEnd) -> String? {
        guard other.hasBroken else { return "\(error), although neither end broke the connection" }
        guard error == .connectionReset || error == .brokenPipe else { return "\(error)" }
        // The bytes before the error can still be read, unless reading itself failed.
        if error == .connectionReset || self.error != nil { close() }
        self.error = error
        return nil
    }

    private func finish(other: SwarmEnd) -> String? {
        guard socket != nil else { return nil }
        let isSpent = sent == plan.size && unsentPreamble.isEmpty || error != nil
        let isAnswered = received >= other.plan.size || hasEnded
        if isSpent, !hasFinished, plan.finishesEarly || isAnswered {
            hasFinished = true
            do throws(Errno) {
                try socket?.finishSending()
            } catch {
                guard other.hasBroken else { return "\(error) when shutting down writing" }
            }
        }
        if hasFinished, hasEnded { close() }
        return nil
    }

    private func breakOff() -> String? {
        hasBroken = true
        isOver = true
        guard let socket = socket.take() else { return nil }
        // A Unix-domain socket simply closes.
        guard transport == .tcp else { return nil }
        do throws(Errno) {
            if plan.finishesAtBreak, !hasFinished, error == nil {
                hasFinished = true
                // If the other end was faster, there is nothing left to shut down.
                try? socket.finishSending()
            }
            try socket.reset()
        } catch {
            return "\(error) when resetting"
        }
        return nil
    }

    private func close() {
        socket = nil
        isOver = true
    }

    private func pause() -> UInt64 {
        guard plan.pauses > 0, UInt8.random(in: .min ... .max, using: &generator) < plan.pauses
        else { return 0 }
        return UInt64.random(in: 0...plan.longestPause, using: &generator)
    }
}
