internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension FileDescriptor {
    /// splice(2), where one of the two is a pipe; `nil` if the source is empty or the destination
    /// full.
    func splice(to destination: FileDescriptor, atMost count: Int) throws(Errno) -> Int? {
        // With a count of 0, the result 0 would look like end of file.
        precondition(count > 0, "the count must be positive")
        let source = rawValue
        do throws(Errno) {
            let moved = try readySyscall {
                cverypoll_splice(source, destination.rawValue, count)
            }
            // The result does not show whether the source is empty or the destination is full.
            if moved.map({ $0 > 0 && $0 < count }) ?? true {
                SelectorNotice.readDrained(source)
                SelectorNotice.writeDrained(destination.rawValue)
            }
            return moved
        } catch {
            SelectorNotice.callFailed(source, error)
            SelectorNotice.callFailed(destination.rawValue, error)
            throw error
        }
    }

    /// `F_SETPIPE_SZ`; returns the capacity that the kernel chose.
    func setPipeCapacity(_ byteCount: Int) throws(Errno) -> Int {
        Int(try syscall { fcntl(rawValue, cverypoll_setpipe_size, CInt(clamping: byteCount)) })
    }
}
