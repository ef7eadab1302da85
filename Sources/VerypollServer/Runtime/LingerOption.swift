internal import Glibc
internal import SystemPackage

/// What becomes of a TCP connection when the last process that has it closes it; `SO_LINGER` in
/// socket(7).
enum LingerOption {
    /// Has it break, so that the peer sees a reset, or end as ever.
    ///
    /// - Throws: See setsockopt(2).
    static func setBreaking(_ isOn: Bool, _ socket: FileDescriptor) throws(Errno) {
        var value = linger(l_onoff: isOn ? 1 : 0, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        let code = unsafe setsockopt(socket.rawValue, SOL_SOCKET, SO_LINGER, &value, size)
        guard code == 0 else { throw Errno(rawValue: errno) }
    }
}
