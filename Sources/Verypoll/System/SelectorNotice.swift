internal import CVerypoll
internal import SystemPackage

/// Notices from the library's calls on a descriptor to the selectors that watch it.
///
/// How the poll(2) selector emulates edge-triggered events: poll(2) reports a ready descriptor each
/// time, where epoll(7) in edge-triggered mode reports each change once. So after the selector has
/// reported a flag of a descriptor, it stops asking poll(2) for that flag. It asks again (it
/// "rearms" the flag) once a call of this library on the descriptor shows that the readiness was
/// used up: a read that found nothing more, a write that found no room, an error that was returned.
/// After that, readiness is a change again, so it is reported as an edge.
///
/// An unnecessary notice costs one redundant event. A missing notice loses an edge, and its source
/// stalls. So each call that may use up readiness gives notice. epoll(7) needs no notices, so with
/// epoll(7), and without a selector, these functions are empty.
///
/// Calls that read, write and accept give notice through ``readySyscall(reading:room:_:)`` and
/// ``readySyscall(writing:count:_:)``.
enum SelectorNotice {
    /// Notes that a call found nothing to read, or read everything.
    @inline(__always)
    static func readDrained(_ fd: CInt) {
        #if PollSelector
        let flags = EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLRDHUP.rawValue
        PollSelectorTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// Notes that a call found no room to write, or used all of it.
    @inline(__always)
    static func writeDrained(_ fd: CInt) {
        #if PollSelector
        PollSelectorTable.forEach { $0.rearm(fd, flags: EPOLLOUT.rawValue) }
        #endif
    }

    /// Notes that a call threw `error` and so cleared it on the descriptor: the next error is new.
    @inline(__always)
    static func callFailed(_ fd: CInt, _ error: Errno) {
        #if PollSelector
        // A broken pipe stays broken: the call does not clear this error.
        let flags = error == .brokenPipe ? 0 : EPOLLERR.rawValue
        PollSelectorTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// Notes that the descriptor is about to be closed, after which its number may be reused.
    @inline(__always)
    static func closing(_ fd: CInt) {
        #if PollSelector
        PollSelectorTable.forEach { $0.forget(fd) }
        #endif
    }

    /// Returns the mode for a descriptor that other code reads and writes without giving notice.
    @inline(__always)
    static func modeWithoutNotice(_ mode: RegistrationMode) -> RegistrationMode {
        #if PollSelector
        mode == .edge ? .level : mode
        #else
        mode
        #endif
    }
}
