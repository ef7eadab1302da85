#if OSPoll && Net
import FoundationEssentials
import SystemPackage

/// A socket that systemd opened, and its name from `FileDescriptorName=`.
struct PassedSocket {
    let name: String
    let descriptor: FileDescriptor
}

/// Returns the sockets that systemd passed to this process; see sd_listen_fds(3).
///
/// Until they are adopted, programs that this process starts inherit them.
func passedSockets() -> [PassedSocket] {
    let process = ProcessInfo.processInfo
    let variables = process.environment
    // Ignore variables for another process, such as a shell that started this one.
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
