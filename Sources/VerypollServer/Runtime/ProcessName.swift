internal import Console
internal import SystemPackage

/// The names of other processes.
package enum ProcessName {
    /// Returns the command name of a process, escaped.
    ///
    /// Reading it does not block: the kernel keeps the name in memory. See proc(5), comm.
    ///
    /// - Parameter processID: The process ID.
    /// - Returns: `nil` if the process is gone, if /proc hides it, or if no descriptor is free.
    package static func current(of processID: Int32) -> String? {
        guard processID > 0,
            let file = try? FileDescriptor.open(
                FilePath("/proc/\(processID)/comm"),
                .readOnly,
                options: [.closeOnExec, .nonBlocking]
            )
        else { return nil }
        let bytes = try? file.closeAfter {
            try unsafe [UInt8](unsafeUninitializedCapacity: 64) {
                $1 = try unsafe file.read(into: UnsafeMutableRawBufferPointer($0))
            }
        }
        guard var name = bytes, !name.isEmpty else { return nil }
        if name.last == UInt8(ascii: "\n") { name.removeLast() }
        return String(decoding: name, as: UTF8.self).escapedForPeople
    }
}
