internal import Glibc

/// The system for which the program was built.
package enum BuildTarget {
    /// The name of the processor's architecture, such as `x86_64`; see uname(2).
    package static let architecture: String = {
        var names = utsname()
        guard unsafe uname(&names) == 0 else { return "unknown" }
        return unsafe withUnsafeBytes(of: &names.machine) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }()
}
