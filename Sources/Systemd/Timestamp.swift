internal import CSystemd
internal import Glibc

/// A moment of the wall clock.
struct Timestamp {
    /// The seconds since the beginning of 1970 UTC.
    let seconds: Int
    let microseconds: Int

    /// Returns the current moment.
    static func now() -> Timestamp {
        var now = timespec()
        // Does not fail for this clock.
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(seconds: now.tv_sec, microseconds: now.tv_nsec / 1_000)
    }

    /// The date and time in UTC in the format of RFC 3339, such as `2026-11-30T12:00:00.000250Z`.
    var text: String {
        let fraction = String(microseconds)
        let zeros = String(repeating: "0", count: max(6 - fraction.count, 0))
        return "\(textInSeconds.dropLast()).\(zeros)\(fraction)Z"
    }

    /// The date and time in UTC in the format of RFC 3339, such as `2026-11-30T12:00:00Z`.
    var textInSeconds: String {
        var moment = time_t(seconds)
        var date = unsafe tm()
        unsafe gmtime_r(&moment, &date)
        var text = [UInt8](repeating: 0, count: 32)
        let count = unsafe text.withUnsafeMutableBytes { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { buffer in
                unsafe buffer.baseAddress.map { start in
                    unsafe strftime(start, buffer.count, "%FT%TZ", &date)
                } ?? 0
            }
        }
        return String(decoding: text.prefix(count), as: UTF8.self)
    }
}
