internal import CVerypoll
internal import Glibc
internal import SystemPackage

/// An eventfd(2): a 64-bit counter whose every increase is an edge.
struct WakeCounter: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    init(selector: borrowing Selector, token: Token) throws(Errno) {
        let created = try syscall { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) }
        let descriptor = OwnedFD(rawValue: created)
        try selector.add(created, token: token, interest: .readable, mode: .edge)
        self.descriptor = descriptor  // Last: nothing may throw once a noncopyable field is set.
    }

    func increment() throws(Errno) {
        // Adding blocks only where the counter would overflow; then reset it and try again.
        while try add(1) == nil { try reset() }
    }

    private func add(_ value: UInt64) throws(Errno) -> Int? {
        var value = value
        return try readySyscall {
            unsafe write(descriptor.rawValue, &value, MemoryLayout<UInt64>.size)
        }
    }

    private func reset() throws(Errno) {
        var value: UInt64 = 0
        _ = try readySyscall {
            unsafe read(descriptor.rawValue, &value, MemoryLayout<UInt64>.size)
        }
    }
}
