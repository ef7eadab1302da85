internal import SystemPackage

extension Session {
    /// Sends the time of day as one line (RFC 867) and an end of file, then waits for the client's
    /// end of file.
    ///
    /// If the session closed the connection at once while input was unread, the kernel would reset
    /// the connection, and the line could be lost.
    mutating func daytime(in context: inout ServeContext) throws(Errno) -> Step {
        if !client.flags.contains(.outputEnded) {
            let line = context.daytime.bytes
            let rest = line.span.extracting(min(Int(position), line.count)...)
            position += UInt16(try send(rest))
            // Unread input can wait: the event that reports room serves the session again, and the
            // input is read then.
            guard Int(position) >= line.count else { return .wait }
            try client.endOutput()
        }
        return try discard(in: &context)
    }
}
