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
    /// The memory of the process; `nil` if /proc cannot be read.
    package var memory: Memory?

    /// The memory of a process, in bytes.
    package struct Memory: Sendable, Equatable {
        /// The memory in RAM.
        package var resident: Int
        /// The address space.
        package var virtual: Int

        package init(resident: Int, virtual: Int) {
            self.resident = resident
            self.virtual = virtual
        }
    }

    package init(
        processorTime: UInt64 = 0,
        openDescriptors: Int? = nil,
        descriptorLimit: Int = 0,
        memory: Memory? = nil
    ) {
        self.processorTime = processorTime
        self.openDescriptors = openDescriptors
        self.descriptorLimit = descriptorLimit
        self.memory = memory
    }

    /// Reads the current values from the kernel.
    package static func current() -> ProcessUsage {
        ProcessUsage(
            processorTime: cverypoll_clock(CLOCK_PROCESS_CPUTIME_ID) / 1_000,
            openDescriptors: countDescriptors(),
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0,
            memory: readMemory()
        )
    }

    private static func readMemory() -> Memory? {
        guard let file = unsafe fopen("/proc/self/statm", "re") else { return nil }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return Memory(
            statm: String(decoding: bytes.prefix(count), as: UTF8.self),
            pageSize: sysconf(CInt(_SC_PAGESIZE))
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

extension ProcessUsage.Memory {
    /// Parses the contents of `/proc/self/statm`, in pages: the address space, the resident memory,
    /// and more; see proc(5).
    init?(statm: String, pageSize: Int) {
        let words = statm.split(separator: " ")
        guard words.count >= 2, let virtual = Int(words[0]), let resident = Int(words[1]) else {
            return nil
        }
        self.init(resident: resident * pageSize, virtual: virtual * pageSize)
    }
}
