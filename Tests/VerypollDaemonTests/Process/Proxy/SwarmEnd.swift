internal import Glibc
internal import SystemPackage
internal import TestSupport

/// One end of a session in a swarm, which follows its plan; none of its calls waits.
final class SwarmEnd {
    let plan: EndPlan
    let transport: Transport
    private(set) var socket: Client?
    private(set) var sent = 0
    private(set) var received = 0
    /// Whether it has ended its way.
    private(set) var hasFinished = false
    /// Whether the other's end of file has come.
    private(set) var hasEnded = false
    /// Whether it has broken the connection.
    private(set) var hasBroken = false
    /// Whether it has been told that the connection is broken.
    private(set) var error: Errno?
    /// Whether it was connected and is closed.
    private(set) var isOver = false
    private var generator: Generator
    private var writesAt: UInt64 = 0
    private var readsAt: UInt64 = 0
    private var breaksAt = UInt64.max

    init(_ plan: EndPlan, over transport: Transport, seed: UInt64) {
        self.plan = plan
        self.transport = transport
        generator = Generator(state: seed)
    }

    /// What it has come to, for the report of a failure.
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
        // A buffer that stays as it is breaks no rule of the model.
        if plan.hasSmallBuffer { try? self.socket?.setReceiveBuffer(4096) }
    }

    /// Gives up to be connected.
    func cancel() {
        isOver = true
    }

    /// What it waits for.
    ///
    /// - Returns: The descriptor and the events for poll(2), and the millisecond at which a rest is
    ///   over; `nil` if it waits for nothing.
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
        // Else an end that rests would be told of a hang-up again and again.
        let number = events == 0 ? -1 : descriptor
        return (pollfd(fd: number, events: Int16(events), revents: 0), wakesAt)
    }

    /// Does what the events allow.
    ///
    /// - Returns: What is wrong, if anything is.
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

    private func mayWrite(_ other: SwarmEnd) -> Bool {
        guard sent < plan.size, error == nil, !hasFinished else { return false }
        switch plan.beginning {
        case .atOnce: return true
        case .afterBytes: return received >= other.plan.size || hasEnded
        case .afterEnd: return hasEnded
        }
    }

    private func send(other: SwarmEnd) -> String? {
        guard let descriptor = socket?.descriptor.rawValue else { return nil }
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
        guard isEqual else { return "\(count) bytes that are not the next of the other's" }
        received += count
        guard count == 0 else { return nil }
        hasEnded = true
        if other.hasFinished, received == other.sent { return nil }
        // A Unix-domain socket knows no reset, it is just closed.
        if other.hasBroken, other.transport == .unix || transport == .unix { return nil }
        return "an end of file that the other has not sent, or not yet"
    }

    private func note(_ error: Errno, other: SwarmEnd) -> String? {
        guard other.hasBroken else { return "\(error), and nobody has broken it" }
        guard error == .connectionReset || error == .brokenPipe else { return "\(error)" }
        // What came before is still to be read, unless it is reading that tells.
        if error == .connectionReset || self.error != nil { close() }
        self.error = error
        return nil
    }

    private func finish(other: SwarmEnd) -> String? {
        guard socket != nil else { return nil }
        let isSpent = sent == plan.size || error != nil
        let isAnswered = received >= other.plan.size || hasEnded
        if isSpent, !hasFinished, plan.finishesEarly || isAnswered {
            hasFinished = true
            do throws(Errno) {
                try socket?.finishSending()
            } catch {
                guard other.hasBroken else { return "\(error) at the end" }
            }
        }
        if hasFinished, hasEnded { close() }
        return nil
    }

    private func breakOff() -> String? {
        hasBroken = true
        isOver = true
        guard let socket = socket.take() else { return nil }
        // A Unix-domain socket is just closed.
        guard transport == .tcp else { return nil }
        do throws(Errno) {
            if plan.finishesAtBreak, !hasFinished, error == nil {
                hasFinished = true
                // Where the other was quicker, there is nothing left to end.
                try? socket.finishSending()
            }
            try socket.reset()
        } catch {
            return "\(error) at a reset"
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
