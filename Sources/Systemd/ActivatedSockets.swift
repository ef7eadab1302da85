internal import CSystemd
internal import Glibc
package import SystemPackage

/// A named descriptor that the service manager passed to this process.
package struct ActivatedSocket: Hashable, Sendable {
    /// The `FileDescriptorName=` of the socket unit, by default the unit's name, or the name that
    /// the descriptor was stored with.
    package let name: String
    /// The open descriptor, close-on-exec.
    package let descriptor: FileDescriptor

    package init(name: String, descriptor: FileDescriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// The descriptors that the service manager passed and that are not claimed yet.
///
/// This value owns them: claiming a descriptor moves its ownership to the caller, and unclaimed
/// descriptors are closed at the end of the scope. Names are not unique, and their order has no
/// meaning. See sd_listen_fds(3).
package struct ActivatedSockets: ~Copyable, Sendable {
    private var unclaimed: [ActivatedSocket]

    /// Creates a value that owns these sockets.
    package init(_ sockets: [ActivatedSocket]) {
        unclaimed = sockets
    }

    deinit {
        for socket in unclaimed { try? socket.descriptor.close() }
    }

    /// Takes the descriptors passed to this process, and removes their variables from the
    /// environment.
    ///
    /// Call it once, before other threads start, because they might read the environment at the
    /// same time. A second call finds nothing.
    ///
    /// - Returns: The sockets; none if nothing was passed, or if it was passed to another process.
    /// - Throws: `Errno.invalidArgument` if the manager's variables are not valid.
    package static func takeFromEnvironment() throws(Errno) -> ActivatedSockets {
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = try checked(unsafe sd_listen_fds_with_names(1, &list))
        var sockets: [ActivatedSocket] = []
        for index in 0..<Int(count) {
            guard let name = unsafe list?[index] else { break }
            let descriptor = FileDescriptor(rawValue: SD_LISTEN_FDS_START + CInt(index))
            unsafe sockets.append(
                ActivatedSocket(name: String(cString: name), descriptor: descriptor)
            )
            unsafe free(name)
        }
        unsafe free(list)
        return ActivatedSockets(sockets)
    }

    /// The unclaimed sockets, still owned by this value.
    package var sockets: [ActivatedSocket] { unclaimed }

    /// The names of the unclaimed sockets, unique and sorted.
    package var names: [String] {
        Set(unclaimed.map(\.name)).sorted()
    }

    /// Claims all sockets with a name; the caller must close them.
    ///
    /// - Returns: The descriptors; none if no socket has the name, or if all were already claimed.
    package mutating func take(named name: String) -> [FileDescriptor] {
        let claimed = unclaimed.filter { $0.name == name }
        unclaimed.removeAll { $0.name == name }
        return claimed.map(\.descriptor)
    }

    /// Claims all sockets whose names satisfy a condition; the caller must close them.
    package mutating func take(where fits: (String) -> Bool) -> [ActivatedSocket] {
        let claimed = unclaimed.filter { fits($0.name) }
        unclaimed.removeAll { fits($0.name) }
        return claimed
    }

    /// Claims all remaining sockets, for the caller to report and close.
    package mutating func takeUnclaimed() -> [ActivatedSocket] {
        defer { unclaimed = [] }
        return unclaimed
    }
}
