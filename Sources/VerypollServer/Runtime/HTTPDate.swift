internal import Glibc

/// Returns a date in HTTP's format, such as `Sun, 06 Nov 1994 08:49:37 GMT`; see RFC 9110, 5.6.7.
func formatHTTPDate(secondsSince1970 seconds: Int) -> String {
    var time = time_t(seconds)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 32)
    // The names are English, because the daemon always runs in the C locale.
    let count = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
