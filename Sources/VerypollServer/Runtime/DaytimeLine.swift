internal import Glibc

/// The current time in the format of the daytime protocol: `Tuesday, February 22, 1982
/// 17:37:43-PST`.
struct DaytimeLine {
    private var second = 0
    private var text: [UInt8] = []

    /// The line with its CR and LF, formatted again whenever the second has changed.
    ///
    /// If a write is short and the second changes before the next write, the session continues at
    /// the same position in the newer line. The client then gets a mix of the two. That does not
    /// happen in practice, because the empty send buffer of a new connection has room for the whole
    /// line.
    var bytes: [UInt8] {
        mutating get {
            let now = Glibc.time(nil)
            if now != second || text.isEmpty {
                second = now
                text = Self.format(now)
            }
            return text
        }
    }

    private static func format(_ time: time_t) -> [UInt8] {
        var time = time
        var parts = unsafe tm()
        _ = unsafe localtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 128)
        let form = "%A, %B %d, %Y %H:%M:%S-%Z\r\n"
        let count = unsafe strftime(&text, text.count, form, &parts)
        return text.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
