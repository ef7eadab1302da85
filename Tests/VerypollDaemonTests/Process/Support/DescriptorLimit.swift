internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Held while the limit is read and set, so that a concurrent test with a lower need does not lower
/// it.
private let isRaising = Mutex<Void>(())

/// Raises this process's descriptor limit to at least `count`.
func raiseDescriptorLimit(toAtLeast count: UInt) throws {
    try isRaising.withLock { _ in try raise(toAtLeast: count) }
}

private func raise(toAtLeast count: UInt) throws {
    var limits = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(resource, &limits) == 0 else { throw Errno(rawValue: errno) }
    if limits.rlim_cur >= count { return }
    limits.rlim_cur = count
    limits.rlim_max = max(limits.rlim_max, count)
    guard unsafe setrlimit(resource, &limits) == 0 else { throw Errno(rawValue: errno) }
}
