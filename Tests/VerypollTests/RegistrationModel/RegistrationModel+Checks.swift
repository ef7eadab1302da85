#if OSPoll && Net
import SystemPackage
import TestSupport
import Verypoll

extension RegistrationModel {
    /// Polls, and compares the reported events with those that must and may be reported.
    mutating func check() throws {
        var missing = due()
        if Int.random(in: 0..<8, using: &generator) == 0 {
            try checkInPortions(&missing)
        } else {
            try poll.poll(&events, timeout: .zero)
            try account(for: events, missing: &missing)
        }
        try awaitLate(&missing)
    }

    /// Returns the flags that must be reported now, by end number.
    private func due() -> [Int: EventFlags] {
        var due: [Int: EventFlags] = [:]
        for end in ends.indices {
            guard let registration = ends[end].registration else { continue }
            let flags = Readiness(of: ends[end], facing: ends[end ^ 1]).told(by: registration)
            if !flags.certain.isEmpty { due[end] = flags.certain }
        }
        return due
    }

    /// Polls with room for few events, until every ready end must have been reported.
    private mutating func checkInPortions(_ missing: inout [Int: EventFlags]) throws {
        for _ in 0..<Self.endCount {
            try poll.poll(&fewEvents, timeout: .zero)
            try account(for: fewEvents, missing: &missing)
            if fewEvents.isEmpty || missing.isEmpty { return }
        }
    }

    /// Waits for events that TCP over loopback has not delivered yet; events of Unix sockets must
    /// not be late.
    private mutating func awaitLate(_ missing: inout [Int: EventFlags]) throws {
        let deadline = ContinuousClock.now + patience
        while let (end, flags) = missing.first {
            let mayWait = ends[end].kind == .tcp && ContinuousClock.now < deadline
            try require(mayWait, "no event reports these flags of \(name(end)): \(flags)", end)
            try poll.poll(&events, until: deadline)
            try account(for: events, missing: &missing)
        }
    }

    private mutating func account(
        for events: borrowing Events,
        missing: inout [Int: EventFlags]
    ) throws {
        var seen: Set<Token> = []
        log.note("poll -> \(events.count) events, of which new:")
        for event in copy events {
            try require(seen.insert(event.token).inserted, "two events for \(event.token.rawValue)")
            try account(for: event, missing: &missing)
        }
    }

    private mutating func account(for event: Event, missing: inout [Int: EventFlags]) throws {
        let told = EventFlags(event)
        guard let end = owners[event.token], let registration = ends[end].registration else {
            throw ModelFailure(description: "an event for an unknown token: \(event)")
        }
        if registration.lastTold != told { log.note("  \(name(end)) \(event) \(told)", end) }
        let truth = Readiness(of: ends[end], facing: ends[end ^ 1])
        let possible = truth.told(by: registration).possible
        try require(!told.isEmpty, "the event has no flags", end)
        try require(
            told.isSubset(of: possible),
            "\(name(end)) may be \(possible), but the event reports \(told)",
            end
        )
        // End of file must be reported with the bytes before it, or a short read would look like
        // the last.
        let isNear = registration.mode != .exclusive && truth.certain.contains(.readClosed)
        let tellsEnd = told.contains(.readClosed) || !told.contains(.readable)
        try require(tellsEnd || !isNear, "\(name(end)) reports bytes without end of file", end)
        ends[end].registration?.note(told)
        if mayRepeat(end) { ends[end].registration?.isQuiet = false }
        missing[end]?.subtract(told)
        if missing[end]?.isEmpty == true { missing[end] = nil }
    }

    /// Returns whether the kernel may report further events although nothing more happens to the
    /// pair.
    ///
    /// Over TCP, acknowledgements make room, and an end takes several packets.
    private func mayRepeat(_ end: Int) -> Bool {
        guard ends[end].kind == .tcp else { return false }
        return [ends[end], ends[end ^ 1]].contains {
            $0.wasRestless || $0.receiveEnded || $0.sendEnded || $0.isBroken
        }
    }
}
#endif
