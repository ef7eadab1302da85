internal import SystemPackage

extension Session {
    /// Sends characters without end and throws away what comes (RFC 864).
    ///
    /// A client that only ends its own way still gets characters: it is one that breaks the
    /// connection, or stops reading for longer than the configured times, that ends the session.
    mutating func chargen(in context: inout ServeContext) throws(Errno) -> Step {
        if client.flags.contains(.inputReady) {
            try receive(in: &context)
            context.scratch.removeAll()
        }
        for _ in 0..<ServeContext.callsPerTurn {
            let rest = context.characters.span.extracting(Int(position)...)
            let count = try send(rest)
            let period = Self.chargenPeriod
            position = UInt16((Int(position) + count) % period)
            if count < rest.count { return client.flags.contains(.inputReady) ? .again : .wait }
        }
        return .again
    }

    /// After so many bytes the text repeats: 95 lines of 72 characters and a line end.
    static let chargenPeriod = 95 * 74

    /// The text nine times over, about as much as one write takes.
    ///
    /// Each line begins one printable character further than the one before.
    static func chargenText() -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(9 * chargenPeriod)
        for line in 0..<9 * 95 {
            for column in 0..<72 { text.append(UInt8(32 + (line + column) % 95)) }
            text += [13, 10]
        }
        return text
    }
}
