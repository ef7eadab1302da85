internal import CVerypoll
internal import SystemPackage

/// What the library's calls on a descriptor tell the selectors that watch it.
///
/// epoll(7) sees by itself that a source was drained or closed; there, and in the shell, all of
/// this is empty. poll(2) knows no edges: its selector makes them, by not asking again for what it
/// has reported until one of these calls says that it is used up. To say so without need costs an
/// event that tells nothing new; not to say so loses an edge.
///
/// The calls that read, write and accept do it through ``readySyscall(reading:room:_:)`` and
/// ``readySyscall(writing:count:_:)``.
enum SelectorNotice {
    /// A call found nothing to read, or has taken all there was.
    @inline(__always)
    static func readDrained(_ fd: CInt) {
        #if PollSelector
        let flags = EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLRDHUP.rawValue
        PollTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// A call found no room to write, or has used up all there was.
    @inline(__always)
    static func writeDrained(_ fd: CInt) {
        #if PollSelector
        PollTable.forEach { $0.rearm(fd, flags: EPOLLOUT.rawValue) }
        #endif
    }

    /// A call has thrown `error`, and so has taken it off the descriptor: the next one is news.
    @inline(__always)
    static func callFailed(_ fd: CInt, _ error: Errno) {
        #if PollSelector
        // That nobody reads any more is no error that is taken off: it stays so.
        let flags = error == .brokenPipe ? 0 : EPOLLERR.rawValue
        PollTable.forEach { $0.rearm(fd, flags: flags) }
        #endif
    }

    /// The descriptor is about to be closed, and its number to mean something else.
    @inline(__always)
    static func closing(_ fd: CInt) {
        #if PollSelector
        PollTable.forEach { $0.forget(fd) }
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
