/// The client's side of one connection, without its socket.
package struct ClientConnection {
    /// A reply, such as a list of many sessions, may be far longer than a call.
    private static let replyLimit = 64 << 20

    private var framing = MessageFraming(limit: Self.replyLimit)
    private var outbox = Outbox()

    /// Creates a new connection.
    package init() {}

    /// Whether there is something to send.
    package var hasOutput: Bool { outbox.byteCount > 0 }

    /// Adds a call to the bytes to send.
    ///
    /// - Parameters:
    ///   - method: The fully qualified method, such as `org.varlink.service.GetInfo`.
    ///   - parameters: The method's parameters.
    ///   - mode: The kind of reply to expect. Traps for `upgrade`, which is not supported.
    /// - Throws: If JSON cannot represent the parameters.
    package mutating func call(
        _ method: String,
        parameters: some Encodable = NoParameters(),
        mode: Call.Mode = .single
    ) throws {
        precondition(mode != .upgrade, "calls that upgrade the connection are not supported")
        let message = OutgoingMessage(
            method: method,
            oneway: mode == .oneway ? true : nil,
            more: mode == .more ? true : nil,
            parameters: parameters is NoParameters ? nil : parameters
        )
        outbox.append(try message.encoded())
    }

    /// Calls `write` once with bytes to send.
    ///
    /// `write` returns how many bytes it accepted, or `nil` for none.
    ///
    /// - Returns: Whether `write` accepted any, so that another call is worthwhile.
    /// - Throws: The error of `write`.
    package mutating func send<Failure>(
        _ write: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Bool {
        try outbox.send(write)
    }

    /// Calls `read` to append bytes from the service.
    ///
    /// - Parameters:
    ///   - capacity: The most bytes that `read` may append.
    ///   - read: Appends received bytes to the free space.
    /// - Returns: The result of `read`.
    /// - Throws: The error of `read`. Bytes that it appended before it threw are kept.
    package mutating func receive<Value, Failure>(
        upTo capacity: Int,
        _ read: (inout OutputSpan<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try framing.append(upTo: capacity, read)
    }

    /// Removes and returns the next reply, or returns `nil` if it is incomplete.
    ///
    /// - Throws: If the service sent a message that is not a valid reply.
    package mutating func nextReply() throws(MalformedMessage) -> Reply? {
        guard let message = try framing.next() else { return nil }
        return try Reply(decoding: message)
    }
}
