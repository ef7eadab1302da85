internal import SystemPackage

extension Session {
    /// Sends characters without end and discards the input (RFC 864).
    ///
    /// A client that half-closes its connection still receives characters. The session ends
    /// if the client breaks the connection, or if it stops reading until a timeout passes.
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
            // Unlike daytime, chargen has no last line, so it must discard input even if the client
            // never reads. No event reports input that has already arrived.
            if count < rest.count { return client.flags.contains(.inputReady) ? .again : .wait }
        }
        return .again
    }

    /// The number of bytes after which the text repeats: 95 lines of 72 characters and a line end.
    static let chargenPeriod = 95 * 74

    /// Returns the text, repeated nine times to about the size of one write.
    ///
    /// Each line begins with the printable character after the one that begins the previous line.
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
