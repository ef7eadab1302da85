#if Net && OSExt
internal import Glibc
internal import SystemPackage

/// Lets this process have so many descriptors.
func raiseDescriptorLimit(toAtLeast count: UInt) throws {
    var limits = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limits) == 0 else { throw Errno(rawValue: errno) }
    if limits.rlim_cur >= count { return }
    limits.rlim_cur = count
    limits.rlim_max = max(limits.rlim_max, count)
    guard unsafe setrlimit(resource, &limits) == 0 else { throw Errno(rawValue: errno) }
}
#endif
