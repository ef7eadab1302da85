internal import CSystemd
internal import Glibc
package import SystemPackage

/// The descriptors that the service manager keeps for the next process of the service.
///
/// The manager holds duplicates: what is stored is open for as long as it is, whatever this process
/// closes. It comes back as ``ActivatedSockets`` do, under the names that it was stored by. See
/// `FileDescriptorStoreMax=` in systemd.service(5), and sd_pid_notify_with_fds(3).
package struct DescriptorStore: Sendable {
    /// The most descriptors that one message carries, `SCM_MAX_FD`.
    private static let messageLimit = 253

    /// The most descriptors that the manager keeps; 0 if it keeps none.
    package let capacity: Int

    /// Finds out what the environment says.
    ///
    /// The manager tells how much it keeps from version 254 on; before, the unit has to, by
    /// `VERYPOLLD_FDSTORE`.
    package init() {
        func number(_ variable: String) -> Int? {
            unsafe getenv(variable).flatMap { unsafe Int(String(cString: $0)) }
        }
        let isManaged = unsafe getenv("NOTIFY_SOCKET") != nil
        capacity = isManaged ? max(0, number("FDSTORE") ?? number("VERYPOLLD_FDSTORE") ?? 0) : 0
    }

    /// Leaves descriptors with the manager, which duplicates them.
    ///
    /// Nothing tells whether it has kept them: it drops what is over its limit.
    ///
    /// - Parameters:
    ///   - descriptors: What to keep, even where it hangs up.
    ///   - name: 1 to 255 printable characters of ASCII without a colon; not unique.
    /// - Throws: See sd_pid_notify_with_fds(3).
    package func add(_ descriptors: [FileDescriptor], named name: String) throws(Errno) {
        let message = "FDSTORE=1\nFDPOLL=0\nFDNAME=\(name)"
        for start in stride(from: 0, to: descriptors.count, by: Self.messageLimit) {
            let part = descriptors[start...].prefix(Self.messageLimit).map(\.rawValue)
            try checked(
                unsafe sd_pid_notify_with_fds(0, 0, message, part, UInt32(part.count))
            )
        }
    }

    /// Has the manager close everything that is stored by a name.
    package func remove(named name: String) throws(Errno) {
        try checked(unsafe sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)"))
    }

    /// Waits until the manager has done all that it was told before.
    ///
    /// - Throws: `Errno.timedOut` if it takes longer than that. See sd_notify_barrier(3).
    package func barrier(within time: Duration) throws(Errno) {
        let microseconds = max(0, time / .microseconds(1))
        try checked(sd_notify_barrier(0, UInt64(microseconds)))
    }
}
