internal import SystemPackage

extension Session {
    /// Sends the time of day as one line and an end of file (RFC 867), then waits for the client's.
    ///
    /// If the session closed the connection at once while input was unread, the kernel would reset
    /// the connection, and the line could be lost.
    mutating func daytime(in context: inout ServeContext) throws(Errno) -> Step {
        if !client.flags.contains(.outputEnded) {
            let line = context.daytime.bytes
            let rest = line.span.extracting(min(Int(position), line.count)...)
            position += UInt16(try send(rest))
            // Input may be unread. The event that reports room serves the session again, and then
            // it is read.
            guard Int(position) >= line.count else { return .wait }
            try client.endOutput()
        }
        return try discard(in: &context)
    }
}
