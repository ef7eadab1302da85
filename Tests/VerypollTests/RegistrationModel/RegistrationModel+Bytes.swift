#if OSPoll && Net
import SystemPackage
import Verypoll

extension RegistrationModel {
    /// Writes `size` bytes; returns whether all were accepted.
    @discardableResult
    mutating func write(_ end: Int, _ size: Int) throws -> Bool {
        let other = end ^ 1
        // After shutting down reading over TCP, an end cannot tell late bytes from end of file.
        if ends[other].kind == .tcp, ends[other].receiveEnded {
            guard ends[other].load + ModelEnd.load(of: size) <= ModelEnd.lightLoad else {
                return false
            }
        }
        var count: Int?
        do throws(Errno) {
            count = try ends[end].socket?.write(size)
            log.note("write \(name(end)) \(size) -> \(describe(count))", end)
        } catch {
            log.note("write \(name(end)) \(size) -> \(error)", end)
            let mayFail = ends[end].sendEnded || ends[end].isBroken
            try require(mayFail && isEnd(error), "a write failed", end)
            return false
        }
        try require(
            !ends[end].sendEnded && !ends[end].isBroken,
            "a write after the end succeeded",
            end
        )
        if (count ?? 0) < size { ends[end].registration?.armed.insert(.writable) }
        guard let count else {
            try require(
                ends[other].load > ModelEnd.lightLoad,
                "a write found no room although there was some",
                end
            )
            ends[other].isFull = true
            return false
        }
        if ends[other].socket == nil || ends[other].receiveEnded && ends[other].sendEnded {
            // An end that no longer reads and has sent its end of file answers bytes with a reset.
            for end in [end, other] where ends[end].socket != nil {
                ends[end].isBroken = true
                try awaitEnd(of: end)
            }
            return false
        }
        ends[other].receive(count)
        if count < size { ends[other].isFull = true }
        if ends[other].kind == .tcp, !ends[other].isRestless {
            let came = ends[other].socket?.wait(forUnread: ends[other].unread) ?? true
            try require(came, "\(name(other)) did not receive what was written", end)
        }
        return count == size
    }

    mutating func fill(_ end: Int) throws {
        for _ in 0..<1000 where try !write(end, 65_536) { return }
    }

    mutating func drain(_ end: Int) throws {
        for _ in 0..<1000 {
            guard let count = try read(end, atMost: 65_536), count > 0 else { return }
        }
    }

    /// Reads once, or repeatedly while TCP delivers in parts; returns the number of bytes.
    @discardableResult
    mutating func read(_ end: Int, atMost room: Int) throws -> Int? {
        let expected = expectedRead(of: end, atMost: room)
        var count: Int?
        do throws(Errno) {
            count = try ends[end].socket?.read(atMost: room)
            while ends[end].isRestless, let wanted = expected, (count ?? 0) < wanted {
                guard let socket = ends[end].socket, socket.wait(for: .bytes) else { break }
                count = (count ?? 0) + (try socket.read(atMost: room - (count ?? 0)) ?? 0)
            }
        } catch {
            log.note("read \(name(end)) \(room) -> \(error)", end)
            let mayFail = ends[end].isBroken && ends[end].unread == 0
            try require(mayFail && isEnd(error), "a read failed", end)
            return nil
        }
        log.note("read \(name(end)) \(room) -> \(describe(count))", end)
        try require(count == expected, "the read should have returned \(describe(expected))", end)
        ends[end].take(count ?? 0)
        let isShort = count.map { $0 > 0 && $0 < room } ?? true
        if isShort, count == nil || ends[end].registration?.toldReadClosed == false {
            ends[end].registration?.armed.insert(.readable)
        }
        return count
    }

    private func expectedRead(of end: Int, atMost room: Int) -> Int? {
        if ends[end].unread > 0 { return min(room, ends[end].unread) }
        return ends[end].receiveEnded || ends[end].isBroken ? 0 : nil
    }

    private func isEnd(_ error: Errno) -> Bool { error == .brokenPipe || error == .connectionReset }

    private func describe(_ count: Int?) -> String { count.map(String.init) ?? "nil" }
}
#endif
