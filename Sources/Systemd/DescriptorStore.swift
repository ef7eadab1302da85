internal import CSystemd
internal import Glibc
package import SystemPackage

/// The descriptors that the service manager keeps for the next process of the service.
///
/// The manager holds duplicates, so a stored file stays open even if this process closes its
/// descriptor. The next process gets the stored descriptors as ``ActivatedSockets``, under the
/// names that they were stored with. See `FileDescriptorStoreMax=` in systemd.service(5), and
/// sd_pid_notify_with_fds(3).
package struct DescriptorStore: Sendable {
    /// The most descriptors that one message carries, `SCM_MAX_FD`.
    private static let messageLimit = 253

    /// The most descriptors that the manager keeps; 0 if it keeps none.
    package let capacity: Int

    /// Reads the capacity from the environment.
    ///
    /// From version 254 on, the manager sets `FDSTORE`. With older versions, the unit must set
    /// `VERYPOLLD_FDSTORE`.
    package init() {
        func number(_ variable: String) -> Int? {
            unsafe getenv(variable).flatMap { unsafe Int(String(cString: $0)) }
        }
        let isManaged = unsafe getenv("NOTIFY_SOCKET") != nil
        capacity = isManaged ? max(0, number("FDSTORE") ?? number("VERYPOLLD_FDSTORE") ?? 0) : 0
    }

    /// Stores descriptors with the manager, which duplicates them.
    ///
    /// The manager does not report whether it kept them: it drops descriptors that exceed its
    /// limit.
    ///
    /// - Parameters:
    ///   - descriptors: The descriptors to store, even after they hang up.
    ///   - name: 1 to 255 printable ASCII characters without a colon. Names need not be unique.
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

    /// Makes the manager close all descriptors that are stored with a name.
    package func remove(named name: String) throws(Errno) {
        try checked(unsafe sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)"))
    }

    /// Waits until the manager has processed all earlier messages.
    ///
    /// - Throws: `Errno.timedOut` if that takes longer than `time`. See sd_notify_barrier(3).
    package func barrier(within time: Duration) throws(Errno) {
        let microseconds = max(0, time / .microseconds(1))
        try checked(sd_notify_barrier(0, UInt64(microseconds)))
    }
}
