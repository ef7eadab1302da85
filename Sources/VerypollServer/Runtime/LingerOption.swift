internal import Glibc
internal import SystemPackage

/// The socket option that decides how a TCP connection ends when the last process closes it;
/// `SO_LINGER` in socket(7).
enum LingerOption {
    /// Chooses between a reset and a normal end of the connection at the last close.
    ///
    /// - Parameters:
    ///   - isOn: `true` for a reset, `false` for a normal end.
    ///   - socket: The connection.
    /// - Throws: See setsockopt(2).
    static func setBreaking(_ isOn: Bool, _ socket: FileDescriptor) throws(Errno) {
        var value = linger(l_onoff: isOn ? 1 : 0, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        let code = unsafe setsockopt(socket.rawValue, SOL_SOCKET, SO_LINGER, &value, size)
        guard code == 0 else { throw Errno(rawValue: errno) }
    }
}
