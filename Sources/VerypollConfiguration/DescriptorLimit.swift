internal import Glibc
package import SystemPackage

/// The number of file descriptors that the process may have open, `RLIMIT_NOFILE`.
package enum DescriptorLimit {
    /// Returns the hard limit, to which the soft limit can be raised.
    package static func hard() throws(Errno) -> Int {
        Int(clamping: try limits().rlim_max)
    }

    /// Returns the soft limit, which applies now.
    package static func soft() throws(Errno) -> Int {
        Int(clamping: try limits().rlim_cur)
    }

    /// Raises the soft limit to the hard limit, and returns the new soft limit; see setrlimit(2).
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
