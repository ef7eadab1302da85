internal import SystemPackage

/// The ports that the kernel assigns to outgoing connections; `ip_local_port_range` in ip(7).
enum EphemeralPorts {
    private static let file = FilePath("/proc/sys/net/ipv4/ip_local_port_range")

    /// Returns the current range; all ports if it cannot be read.
    static func range() -> ClosedRange<UInt16> {
        let everyPort: ClosedRange<UInt16> = 0 ... .max
        var text: [UInt8] = []
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
            try descriptor.closeAfter {
                text = try unsafe Array(unsafeUninitializedCapacity: 64) { buffer, count in
                    count = try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
        } catch {
            return everyPort
        }
        return range(in: String(decoding: text, as: UTF8.self)) ?? everyPort
    }

    /// Parses a range such as `32768\t60999`.
    static func range(in text: String) -> ClosedRange<UInt16>? {
        let bounds = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1] else { return nil }
        return bounds[0]...bounds[1]
    }
}
