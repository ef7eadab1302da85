internal import CVerypoll
internal import Glibc

/// The processors of the machine.
enum ProcessorCount {
    /// Returns the number of processors that this process may run on; see sched_getaffinity(2).
    ///
    /// If the system call fails, it is the number of processors that are online.
    static func available() -> Int {
        let allowed = Int(cverypoll_allowed_processors())
        return allowed > 0 ? allowed : max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    }
}
