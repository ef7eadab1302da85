internal import Glibc
internal import SystemPackage

/// Whether the kernel has vsock.
package let hasVsock: Bool = {
    guard let socket = try? makeSocket(AF_VSOCK, type: SOCK_STREAM) else { return false }
    try? socket.close()
    return true
}()

/// Whether a vsock socket can connect to this machine itself: the kernel has `vsock_loopback`.
///
/// Without it, the kernel would send a connection to the local CID to the host.
package let hasVsockLoopback: Bool = {
    guard let socket = try? makeSocket(AF_VSOCK, type: SOCK_STREAM) else { return false }
    defer { try? socket.close() }
    return unsafe withLocalVsock(port: .max) { unsafe bind(socket.rawValue, $0, $1) } == 0
}()

/// Passes the address of a port of the local CID to `body`.
func withLocalVsock(
    port: UInt32,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    // struct sockaddr_vm: the family, the port and the CID; see vsock(7).
    let words: [4 of UInt32] = [UInt32(AF_VSOCK).littleEndian, port, 1, 0]
    return unsafe withUnsafePointer(to: words) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr>.size))
        }
    }
}
