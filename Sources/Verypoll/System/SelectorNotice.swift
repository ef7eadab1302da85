internal import CVerypoll
internal import SystemPackage

/// What the library's calls on a descriptor tell the selectors that watch it.
///
/// How the poll(2) selector emulates edge-triggered events: poll(2) reports a ready descriptor each
/// time, where epoll(7) in edge-triggered mode reports each change once. So after the selector has
/// reported a flag of a descriptor, it stops asking poll(2) for that flag. It asks again (it
/// "rearms" the flag) once a call of this library on the descriptor shows that the readiness was
/// used up: a read that found nothing more, a write that found no room, an error that was returned.
/// From then on, readiness is news, which is what an edge means.
///
/// A notice too many costs one event that says nothing new. A missing notice loses an edge, and its
/// source stalls. So each call that may use readiness up gives notice. epoll(7) sees all this by
/// itself: with it, and without a selector, these functions are empty.
///
/// The calls that read, write and accept do it through ``readySyscall(reading:room:_:)`` and
/// ``readySyscall(writing:count:_:)``.
enum SelectorNotice {
    /// A call found nothing to read, or has taken all there was.
    @inline(__always)
    static func readDrained(_ fd: CInt) {
        #if PollSelector
        let flags = EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLRDHUP.rawValue
        PollSelectorTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// A call found no room to write, or has used up all there was.
    @inline(__always)
    static func writeDrained(_ fd: CInt) {
        #if PollSelector
        PollSelectorTable.forEach { $0.rearm(fd, flags: EPOLLOUT.rawValue) }
        #endif
    }

    /// A call has thrown `error`, and so has taken it off the descriptor: the next one is news.
    @inline(__always)
    static func callFailed(_ fd: CInt, _ error: Errno) {
        #if PollSelector
        // That nobody reads any more is no error that is taken off: it stays so.
        let flags = error == .brokenPipe ? 0 : EPOLLERR.rawValue
        PollSelectorTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// The descriptor is about to be closed, and its number to mean something else.
    @inline(__always)
    static func closing(_ fd: CInt) {
        #if PollSelector
        PollSelectorTable.forEach { $0.forget(fd) }
        #endif
    }

    /// The mode for a descriptor that is read and written by others, so that nobody gives notice.
    @inline(__always)
    static func modeWithoutNotice(_ mode: RegistrationMode) -> RegistrationMode {
        #if PollSelector
        mode == .edge ? .level : mode
        #else
        mode
        #endif
    }
}
