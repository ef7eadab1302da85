internal import Glibc

/// The present time as daytime sends it: `Tuesday, February 22, 1982 17:37:43-PST`.
struct DaytimeLine {
    private var second = 0
    private var text: [UInt8] = []

    /// The line, with its line end; made anew when a second has passed.
    ///
    /// It has the same length throughout a session only by chance, and a session that could not
    /// send all of it goes on in the newer one; no client takes less than a line.
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
