internal import Glibc
internal import SystemPackage

/// Sleeps for a few milliseconds, between two checks of a condition or two requests.
package func pause(milliseconds: Int) {
    var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    unsafe nanosleep(&time, nil)
}

/// Throws errno if `result` of the last system call is negative.
@discardableResult
func check(_ result: Int32) throws(Errno) -> Int32 {
    if result < 0 { throw Errno(rawValue: errno) }
    return result
}
