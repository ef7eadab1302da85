internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// An eventfd(2): a 64-bit counter that is readable while it is not 0.
///
/// Each increase is an edge.
struct EventCounter: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    var rawValue: CInt { descriptor.rawValue }

    init() throws(Errno) {
        descriptor = OwnedFD(
            rawValue: try syscall { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) }
        )
    }

    /// Adds to the counter; `nil` if it would overflow.
    func add(_ value: UInt64) throws(Errno) -> Int? {
        var value = value
        return try readySyscall {
            unsafe write(rawValue, &value, MemoryLayout<UInt64>.size)
        }
    }

    /// Resets the counter of a descriptor to 0.
    static func reset(_ fd: CInt) throws(Errno) {
        var value: UInt64 = 0
        _ = try readySyscall { unsafe read(fd, &value, MemoryLayout<UInt64>.size) }
    }
}
