#if PollSelector
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The registrations of one selector, in the order of their entries for poll(2).
struct PollSelectorRegistrations {
    private var list: [PollSelectorRegistration] = []
    private var positions: [CInt: Int] = [:]

    /// Where the next search for ready descriptors starts, so that each gets its turn.
    private var start = 0

    /// Storage that is reused.
    private var found: [pollfd] = []

    mutating func add(_ registration: PollSelectorRegistration) throws(Errno) {
        guard positions[registration.fd] == nil else { throw .fileExists }
        positions[registration.fd] = list.count
        list.append(registration)
    }

    mutating func modify(_ registration: PollSelectorRegistration) throws(Errno) {
        guard let position = positions[registration.fd] else { throw .noSuchFileOrDirectory }
        guard list[position].mode != .exclusive, registration.mode != .exclusive else {
            throw .invalidArgument
        }
        list[position] = registration
    }

    /// Returns whether the descriptor was registered.
    mutating func remove(_ fd: CInt) -> Bool {
        guard let position = positions.removeValue(forKey: fd) else { return false }
        let last = list.removeLast()
        if last.fd != fd {
            list[position] = last
            positions[last.fd] = position
        }
        return true
    }

    /// Returns whether the registration changed.
    mutating func rearm(_ fd: CInt, flags: UInt32) -> Bool {
        guard let position = positions[fd] else { return false }
        return list[position].rearm(flags)
    }

    func ask(in questions: inout [pollfd]) {
        for registration in list { questions.append(registration.question) }
    }

    /// Turns the results for the entries of ``ask(in:)`` into events, as many as `ready` has room
    /// for.
    ///
    /// A result may be stale: a registration may have changed during the wait, or a descriptor
    /// number may have been closed and reused. So this function polls the ready descriptors again,
    /// without waiting, while the table cannot change.
    mutating func report(_ answers: ArraySlice<pollfd>, into ready: inout EventBuffer) {
        found.removeAll(keepingCapacity: true)
        var index = start < answers.count ? answers.startIndex + start : answers.startIndex
        for _ in answers.indices where found.count < ready.capacity {
            if answers[index].revents != 0, let position = positions[answers[index].fd] {
                found.append(list[position].wholeQuestion)
            }
            index += 1
            if index == answers.endIndex { index = answers.startIndex }
        }
        start = index - answers.startIndex
        // An interrupted call returns no results, so it reports no events.
        _ = unsafe poll(&found, nfds_t(found.count), 0)
        for entry in found {
            guard let position = positions[entry.fd] else { continue }
            if entry.revents & Int16(POLLNVAL) != 0 {
                _ = remove(entry.fd)
            } else if let event = list[position].event(of: entry.answer) {
                ready.append(event)
            }
        }
    }
}
#endif
