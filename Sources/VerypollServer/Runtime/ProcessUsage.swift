internal import CVerypoll
internal import Glibc
internal import VerypollConfiguration

/// The processor time and the descriptors that the process uses, as the kernel reports them.
package struct ProcessUsage: Sendable {
    /// The processor time of all threads, in microseconds.
    package var processorTime: UInt64 = 0
    /// The number of open file descriptors; `nil` if /proc, the only source, cannot be read.
    package var openDescriptors: Int?
    /// The most file descriptors that may be open.
    package var descriptorLimit = 0

    package init(
        processorTime: UInt64 = 0,
        openDescriptors: Int? = nil,
        descriptorLimit: Int = 0
    ) {
        self.processorTime = processorTime
        self.openDescriptors = openDescriptors
        self.descriptorLimit = descriptorLimit
    }

    /// Reads the current values from the kernel.
    package static func current() -> ProcessUsage {
        ProcessUsage(
            processorTime: cverypoll_clock(CLOCK_PROCESS_CPUTIME_ID) / 1_000,
            openDescriptors: countDescriptors(),
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
        )
    }

    private static func countDescriptors() -> Int? {
        // Linux 6.2 and later report the number as the size of the directory.
        var status = stat()
        if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 {
            return Int(status.st_size)
        }
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // Not counted: "." and "..", and the descriptor of the directory itself.
        return count - 3
    }
}
