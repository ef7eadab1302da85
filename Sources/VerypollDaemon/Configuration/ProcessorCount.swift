internal import Glibc
internal import SystemPackage

/// The processors of the machine.
enum ProcessorCount {
    /// How many processors this process may run on.
    ///
    /// Taken from proc(5), because Glibc's module lacks sched_getaffinity(2); where that can't be
    /// read, it is the number of processors that are online.
    static func available() -> Int {
        let status = try? FileContents.read("/proc/self/status", upTo: 1 << 16)
        let text = String(decoding: status ?? [], as: UTF8.self)
        return allowed(inStatus: text) ?? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    }

    /// The number of bits in the mask `Cpus_allowed`, hexadecimal digits with commas in between.
    static func allowed(inStatus text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        guard let digits = line?.dropFirst("Cpus_allowed:".count) else { return nil }
        let count = digits.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : nil
    }
}
