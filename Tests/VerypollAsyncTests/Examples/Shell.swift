import TestSupport
import Testing

/// Returns the output of a shell command.
func shell(_ line: String) throws -> String {
    let result = try Program.run("/bin/sh", ["-c", line])
    #expect(result.exit == .code(0), "\(line): \(result.standardError)")
    return result.standardOutput
}

/// Returns letters in an order that reveals missing, duplicate and misplaced ones.
func pattern(byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(ascii: "a") + UInt8(($0 &* 31 &+ $0 >> 8) % 26) }
}
