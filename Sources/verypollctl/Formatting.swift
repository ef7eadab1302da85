internal import FoundationEssentials
internal import Glibc

/// Returns a number of bytes for people, such as `512B`, `1.5K` or `20.0G`; units are powers of
/// 1024.
func formatByteCount(_ count: Int) -> String {
    guard count >= 1024 else { return "\(count)B" }
    var tenths = Double(count) * 10
    var unit: Character = "B"
    for next in "KMGTPE" where tenths.rounded() >= 10_240 {
        tenths /= 1024
        unit = next
    }
    let rounded = Int(tenths.rounded())
    return "\(rounded / 10).\(rounded % 10)\(unit)"
}

/// Returns a time span for people, in its two largest units, such as `3min 4s` or `5d 2h`.
func formatSpan(microseconds: Int) -> String {
    guard microseconds >= 1_000_000 else { return "\(max(microseconds, 0) / 1000)ms" }
    let seconds = microseconds / 1_000_000
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
    guard let first = units.firstIndex(where: { seconds >= $0.1 }) else { return "0s" }
    let (name, length) = units[first]
    let greater = "\(seconds / length)\(name)"
    guard first + 1 < units.count else { return greater }
    let (nextName, nextLength) = units[first + 1]
    return "\(greater) \(seconds % length / nextLength)\(nextName)"
}

/// Returns a time in the user's time zone, such as `Mon 2026-11-23 17:09:05 UTC`.
func formatTimestamp(microseconds: Int) -> String {
    var time = time_t(microseconds / 1_000_000)
    var fields = unsafe tm()
    var buffer = [CChar](repeating: 0, count: 64)
    let size = buffer.count
    _ = unsafe localtime_r(&time, &fields)
    let length = unsafe strftime(&buffer, size, "%a %Y-%m-%d %H:%M:%S %Z", &fields)
    return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Returns the current time, in microseconds since 1970-01-01 UTC.
func currentTimestamp() -> Int {
    Int(Date().timeIntervalSince1970 * 1_000_000)
}
