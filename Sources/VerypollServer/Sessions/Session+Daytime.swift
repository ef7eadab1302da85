internal import SystemPackage

extension Session {
    /// Sends the time of day as one line and ends its way (RFC 867), then waits for the client's.
    ///
    /// Were the connection closed at once, bytes that the client has sent would make the kernel
    /// reset it, and the line could be lost.
    mutating func daytime(in context: inout ServeContext) throws(Errno) -> Step {
        if !client.flags.contains(.outputEnded) {
            let line = context.daytime.bytes
            let rest = line.span.extracting(min(Int(position), line.count)...)
            position += UInt16(try send(rest))
            guard Int(position) >= line.count else { return .wait }
            try client.endOutput()
        }
        return try discard(in: &context)
    }
}
