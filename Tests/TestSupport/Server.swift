internal import Glibc
internal import Synchronization
package import SystemPackage

/// A listening socket that is independent of the library.
package struct Server: ~Copyable, Sendable {
    /// The socket, which this value owns.
    package let descriptor: FileDescriptor
    /// The TCP port that the kernel chose, or 0 for a Unix-domain socket.
    package let port: UInt16

    /// Listens on a free TCP port of 127.0.0.1.
    ///
    /// - Parameter backlog: The most connections that may wait to be accepted, less one; `nil`
    ///   refuses all connections until ``listen(backlog:)``.
    /// - Throws: See bind(2).
    package init(backlog: Int32? = 1024) throws(Errno) {
        let descriptor = try makeSocket(AF_INET, type: SOCK_STREAM)
        do {
            let number = descriptor.rawValue
            unsafe try check(withLoopback(port: 0) { unsafe bind(number, $0, $1) })
            if let backlog { try check(Glibc.listen(number, backlog)) }
            port = try boundPort(of: descriptor)
        } catch {
            try? descriptor.close()
            throw error
        }
        self.descriptor = descriptor
    }

    /// Listens on a Unix-domain socket at `path`; `backlog` is as for TCP.
    package init(path: String, backlog: Int32? = 1024) throws(Errno) {
        let descriptor = try makeSocket(AF_UNIX, type: SOCK_STREAM)
        do {
            let number = descriptor.rawValue
            unsafe try check(withUnixPath(path) { unsafe bind(number, $0, $1) })
            if let backlog { try check(Glibc.listen(number, backlog)) }
        } catch {
            try? descriptor.close()
            throw error
        }
        port = 0
        self.descriptor = descriptor
    }

    /// Begins to listen, or changes the backlog.
    package func listen(backlog: Int32 = 1024) throws(Errno) {
        try check(Glibc.listen(descriptor.rawValue, backlog))
    }

    deinit {
        try? descriptor.close()
    }

    /// Waits for a connection.
    ///
    /// - Throws: `Errno.timedOut` if no connection arrives.
    package func accept(timeout: Duration = patience) throws(Errno) -> Client {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(timeout.components.seconds) * 1000
        if try check(unsafe poll(&entry, 1, milliseconds)) == 0 { throw Errno.timedOut }
        let accepted = try inheritance.withLock { _ throws(Errno) in
            let accepted = try check(Glibc.accept(descriptor.rawValue, nil, nil))
            try check(fcntl(accepted, F_SETFD, FD_CLOEXEC))
            return FileDescriptor(rawValue: accepted)
        }
        return try Client(adopting: accepted, timeout: timeout)
    }
}

/// Returns a TCP port of 127.0.0.1 that was free a moment ago.
///
/// Another process may take the port before it is used; to avoid that race, let the tested program
/// bind port 0.
package func freePort() throws(Errno) -> UInt16 {
    let server = try Server()
    return server.port
}
