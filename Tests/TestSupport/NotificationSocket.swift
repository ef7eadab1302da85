internal import Glibc
internal import SystemPackage

/// A stand-in for the service manager's notification socket.
///
/// Pass ``path`` to the program as `NOTIFY_SOCKET`.
package struct NotificationSocket: ~Copyable, Sendable {
    /// The socket's path.
    package let path: String
    private let directory: TemporaryDirectory
    private let descriptor: FileDescriptor

    /// Binds a new socket in its own directory.
    package init() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("notify")
        let descriptor = try makeSocket(AF_UNIX, type: SOCK_DGRAM)
        do {
            unsafe try check(withUnixPath(path) { unsafe bind(descriptor.rawValue, $0, $1) })
        } catch {
            try? descriptor.close()
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        self.directory = directory
    }

    deinit {
        try? descriptor.close()
    }

    /// Waits for a message and returns its assignments in order.
    ///
    /// - Throws: `Errno.timedOut` if no message arrives.
    package func receive(timeout: Duration = patience) throws -> [String] {
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(timeout.components.seconds) * 1000
        if try check(unsafe poll(&entry, 1, milliseconds)) == 0 { throw Errno.timedOut }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe try buffer.withUnsafeMutableBytes { bytes in
            unsafe try descriptor.read(into: bytes)
        }
        let message = String(decoding: buffer.prefix(count), as: UTF8.self)
        return message.split(separator: "\n").map(String.init)
    }

    /// Waits for a message with an assignment that begins with `prefix`, and returns it.
    package func receive(until prefix: String) throws -> String {
        while true {
            if let found = try receive().first(where: { $0.hasPrefix(prefix) }) { return found }
        }
    }
}
