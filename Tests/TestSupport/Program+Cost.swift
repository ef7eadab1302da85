internal import Glibc
internal import SystemPackage

extension Program {
    /// The program's resident memory in bytes.
    package func residentByteCount() throws -> Int {
        let fields = try procFile("statm").split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { throw Errno.invalidArgument }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The number of descriptors that the program has open.
    package func openDescriptorCount() throws -> Int {
        guard let directory = unsafe opendir("/proc/\(processID)/fd") else {
            throw Errno(rawValue: errno)
        }
        defer { unsafe _ = closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        return count - 2  // The entries "." and "..".
    }

    /// The CPU time that all of the program's threads have used.
    package func processorTime() throws -> Duration {
        // The second field is the name in parentheses, which may contain anything; see proc(5).
        let text = try procFile("stat")
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
            throw Errno.invalidArgument
        }
        return .seconds(1) * (user + system) / sysconf(Int32(_SC_CLK_TCK))
    }

    /// Returns the descriptors beyond the standard streams that a child of the program would
    /// inherit.
    ///
    /// - Parameter limit: Only lower numbers are checked.
    /// - Returns: The numbers that are open and not close-on-exec.
    package func inheritableDescriptors(below limit: Int = 64) -> [Int] {
        (3..<limit).filter { descriptor in
            // A descriptor that is not open has no fdinfo file.
            guard let text = try? procFile("fdinfo/\(descriptor)") else { return false }
            let line = text.split(separator: "\n").first { $0.hasPrefix("flags:") } ?? ""
            let flags = line.split(whereSeparator: \.isWhitespace).last.flatMap {
                Int($0, radix: 8)
            }
            return (flags ?? 0) & Int(O_CLOEXEC) == 0
        }
    }

    private func procFile(_ name: String) throws -> String {
        let file = try FileDescriptor.open(
            FilePath("/proc/\(processID)/\(name)"),
            .readOnly,
            options: .closeOnExec
        )
        return try file.closeAfter { try file.text() }
    }
}
