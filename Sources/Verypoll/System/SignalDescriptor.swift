#if OSExt
internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A signalfd(2), which receives blocked signals.
struct SignalDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

    /// Whether pthread_sigmask(3) can block a signal; signal(7) and nptl(7) name the exceptions.
    static func canBlock(_ number: CInt) -> Bool {
        number != SIGKILL && number != SIGSTOP && number != 32 && number != 33
    }

    /// Unblocks all signals in the calling thread.
    static func unblockAll() {
        cverypoll_unblock_signals()
    }

    /// Blocks the signals in the calling thread and in threads that it starts afterward.
    init(blocking numbers: [CInt]) throws(Errno) {
        let mask = numbers.reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
        descriptor = OwnedFD(rawValue: try syscall { cverypoll_signalfd(mask) })
    }

    /// Reads the number of the next signal; `nil` if none is pending.
    func next() throws(Errno) -> CInt? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        let count = try readySyscall(reading: descriptor.rawValue) {
            unsafe read(descriptor.rawValue, &info, size)
        }
        return count == nil ? nil : CInt(info.ssi_signo)
    }
}
#endif
