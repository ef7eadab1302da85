#if OSPoll && Net
import FoundationEssentials
import SystemPackage

/// A socket that systemd has opened, and the name that `FileDescriptorName=` gave to it.
struct PassedSocket {
    let name: String
    let descriptor: FileDescriptor
}

/// The sockets that systemd passed to this very process; see sd_listen_fds(3).
///
/// They are still inherited by programs that this one starts, until they are adopted.
func passedSockets() -> [PassedSocket] {
    let process = ProcessInfo.processInfo
    let variables = process.environment
    // Variables that were meant for another process, as a shell around this one, tell of its
    // descriptors.
    guard variables["LISTEN_PID"] == String(process.processIdentifier),
        let count = variables["LISTEN_FDS"].flatMap(Int32.init)
    else { return [] }
    let names = variables["LISTEN_FDNAMES", default: ""].split(
        separator: ":",
        omittingEmptySubsequences: false
    )
    return (0..<max(count, 0)).map { index in
        let name = names.indices.contains(Int(index)) ? String(names[Int(index)]) : "unknown"
        return PassedSocket(name: name, descriptor: FileDescriptor(rawValue: 3 + index))
    }
}
#endif
