internal import Glibc
internal import SystemPackage

func makeSocket(_ family: Int32, type: __socket_type) throws(Errno) -> FileDescriptor {
    let flags = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    return FileDescriptor(rawValue: try check(socket(family, flags, 0)))
}

/// Passes the address of a port of 127.0.0.1 to `body`.
func withLoopback(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Passes the address of a Unix-domain socket file to `body`.
func withUnixPath(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
        precondition(path.utf8.count < bytes.count, "the path is too long for a socket")
        unsafe bytes.copyBytes(from: path.utf8)
    }
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Returns the port that a TCP socket is bound to.
func boundPort(of socket: FileDescriptor) throws(Errno) -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe getsockname(socket.rawValue, $0, &size)
        }
    }
    try check(result)
    return UInt16(bigEndian: address.sin_port)
}
