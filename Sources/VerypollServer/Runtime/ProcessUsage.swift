internal import CVerypoll
internal import Glibc
internal import VerypollConfiguration

/// What the process takes of the machine, as the kernel tells it.
package struct ProcessUsage: Sendable {
    /// The time that its threads have run, in microseconds.
    package var processorTime: UInt64 = 0
    /// The file descriptors that are open; `nil` where /proc, which alone tells, can't be read.
    package var openDescriptors: Int?
    /// The most that may be open.
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

    /// Asks the kernel.
    package static func current() -> ProcessUsage {
        ProcessUsage(
            processorTime: cverypoll_clock(CLOCK_PROCESS_CPUTIME_ID) / 1_000,
            openDescriptors: countDescriptors(),
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
        )
    }

    private static func countDescriptors() -> Int? {
        // Linux 6.2 and later tell the number as the size of the directory.
        var status = stat()
        if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 {
            return Int(status.st_size)
        }
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // Neither "." and ".." nor the directory itself, which is open only for this.
        return count - 3
    }
}
