internal import CVerypoll
internal import Glibc
internal import SystemPackage

extension FileDescriptor {
    /// splice(2), one of the two a pipe; `nil` if there is nothing to take, or no room for it.
    func splice(to destination: FileDescriptor, atMost count: Int) throws(Errno) -> Int? {
        precondition(count > 0, "no bytes to splice")  // Else 0 would pass for the end of file.
        let source = rawValue
        do throws(Errno) {
            let moved = try readySyscall {
                cverypoll_splice(source, destination.rawValue, count)
            }
            // Which of the two it was that had no more is not told.
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

    /// `F_SETPIPE_SZ`; returns the capacity that the kernel made of it.
    func setPipeCapacity(_ byteCount: Int) throws(Errno) -> Int {
        Int(try syscall { fcntl(rawValue, cverypoll_setpipe_size, CInt(clamping: byteCount)) })
    }
}
