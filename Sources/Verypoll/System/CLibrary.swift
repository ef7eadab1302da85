#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

#if !os(Linux)
#error("Verypoll requires Linux: it uses epoll(7), signalfd(2), timerfd_create(2), pidfd_open(2)")
#endif

// Calls of the C library, glibc or musl, for code in which a method has the same name.

@inline(__always)
func libcRead(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(fd, buffer, count)
}

func libcShutdown(_ fd: CInt, _ direction: CInt) -> CInt { shutdown(fd, direction) }

func libcSocket(_ family: CInt, _ type: CInt) -> CInt { socket(family, type, 0) }

func libcBind(_ fd: CInt, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> CInt {
    unsafe bind(fd, address, length)
}

func libcListen(_ fd: CInt, _ backlog: CInt) -> CInt { listen(fd, backlog) }
