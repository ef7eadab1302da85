internal import CSystemd
internal import Glibc
package import SystemPackage

/// A descriptor that the service manager passed to this process, under the name of its unit.
package struct ActivatedSocket: Hashable, Sendable {
    /// What the unit says in `FileDescriptorName=`; without it, the unit's own name.
    package let name: String
    /// The open descriptor, marked to close on execution.
    package let descriptor: FileDescriptor

    package init(name: String, descriptor: FileDescriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// The descriptors that the service manager passed and that nobody has claimed yet.
///
/// Owns them: whoever claims one becomes its owner, and those that are left close at the end of
/// the scope. Names are not unique, and their order says nothing. See sd_listen_fds(3).
package struct ActivatedSockets: ~Copyable, Sendable {
    private var unclaimed: [ActivatedSocket]

    /// Owns these sockets.
    package init(_ sockets: [ActivatedSocket]) {
        unclaimed = sockets
    }

    deinit {
        for socket in unclaimed { try? socket.descriptor.close() }
    }

    /// Takes what was passed to this process, and takes it out of the environment.
    ///
    /// Call it once, before there are other threads, which might read the environment meanwhile:
    /// a second call finds nothing.
    ///
    /// - Returns: None if nothing was passed, or if it was meant for another process.
    /// - Throws: `Errno.invalidArgument` if the manager's variables make no sense.
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

    /// The sockets that are left; they are still owned by this value.
    package var sockets: [ActivatedSocket] { unclaimed }

    /// The names of the sockets that are left, each once, sorted.
    package var names: [String] {
        Set(unclaimed.map(\.name)).sorted()
    }

    /// Claims all sockets of this name; the caller closes them.
    ///
    /// - Returns: None if none has the name, or if they have been claimed already.
    package mutating func take(named name: String) -> [FileDescriptor] {
        let claimed = unclaimed.filter { $0.name == name }
        unclaimed.removeAll { $0.name == name }
        return claimed.map(\.descriptor)
    }

    /// Claims all sockets whose names fulfil a condition; the caller closes them.
    package mutating func take(where fits: (String) -> Bool) -> [ActivatedSocket] {
        let claimed = unclaimed.filter { fits($0.name) }
        unclaimed.removeAll { fits($0.name) }
        return claimed
    }

    /// Claims all that is left, to be reported and closed by the caller.
    package mutating func takeUnclaimed() -> [ActivatedSocket] {
        defer { unclaimed = [] }
        return unclaimed
    }
}
