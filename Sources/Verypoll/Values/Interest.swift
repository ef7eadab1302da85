/// The kinds of readiness to watch a source for.
///
/// Registering with an empty interest traps.
public struct Interest: OptionSet, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The source has bytes to read, a connection to accept, or a peer that stopped writing.
    @inlinable public static var readable: Interest { Interest(rawValue: 1 << 0) }

    /// The source accepts bytes, or its pending connect(2) has finished.
    @inlinable public static var writable: Interest { Interest(rawValue: 1 << 1) }

    /// The source has out-of-band data, `EPOLLPRI`.
    @inlinable public static var priority: Interest { Interest(rawValue: 1 << 2) }

    /// Unavailable: combine interests with an array literal, as in `[.readable, .writable]`.
    @available(
        *,
        unavailable,
        message: "combine interests with an array literal, as in [.readable, .writable], or union"
    )
    public static func | (first: Interest, second: Interest) -> Interest {
        first.union(second)
    }

    /// The names joined by `|`, as in `readable|writable`.
    public var description: String {
        var names: [String] = []
        if contains(.readable) { names.append("readable") }
        if contains(.writable) { names.append("writable") }
        if contains(.priority) { names.append("priority") }
        return names.joined(separator: "|")
    }
}
