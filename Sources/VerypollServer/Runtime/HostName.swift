internal import Glibc

/// The name of the machine.
package enum HostName {
    /// Returns the current name, or an empty text if the kernel does not return one.
    package static func current() -> String {
        // Linux allows 64 bytes.
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
        return String(
            decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
    }
}
