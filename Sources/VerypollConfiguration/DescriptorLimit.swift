internal import Glibc
package import SystemPackage

/// The number of file descriptors that the process may have open, `RLIMIT_NOFILE`.
package enum DescriptorLimit {
    /// What the soft limit could be raised to.
    package static func hard() throws(Errno) -> Int {
        Int(clamping: try limits().rlim_max)
    }

    /// How many the process may have now.
    package static func soft() throws(Errno) -> Int {
        Int(clamping: try limits().rlim_cur)
    }

    /// Raises the soft limit to the hard one, and returns it; see setrlimit(2).
    package static func raise() throws(Errno) -> Int {
        var limits = try limits()
        if limits.rlim_cur < limits.rlim_max {
            limits.rlim_cur = limits.rlim_max
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
        return Int(clamping: limits.rlim_cur)
    }

    private static func limits() throws(Errno) -> rlimit {
        var limits = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else {
            throw Errno(rawValue: errno)
        }
        return limits
    }
}
