internal import Glibc
internal import SystemPackage

/// Lets a few milliseconds pass between two looks at a condition, or two requests.
package func pause(milliseconds: Int) {
    var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    unsafe nanosleep(&time, nil)
}

/// The error that the last system call left behind, thrown if `result` is negative.
@discardableResult
func check(_ result: Int32) throws(Errno) -> Int32 {
    if result < 0 { throw Errno(rawValue: errno) }
    return result
}
