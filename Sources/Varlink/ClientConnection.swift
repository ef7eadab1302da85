/// The client's side of one connection, without its socket.
package struct ClientConnection {
    /// A list of many sessions is far longer than a call may be.
    private static let replyLimit = 64 << 20

    private var framing = MessageFraming(limit: Self.replyLimit)
    private var outbox = Outbox()

    /// Makes a connection on which nothing was said yet.
    package init() {}

    /// Whether there is something to send.
    package var hasOutput: Bool { outbox.byteCount > 0 }

    /// Adds a call to what is to be sent.
    ///
    /// - Parameters:
    ///   - method: The interface and the method, as in `org.varlink.service.GetInfo`.
    ///   - parameters: The method's parameters.
    ///   - mode: How the answer is wanted; `upgrade` is not offered.
    /// - Throws: If JSON can't say the parameters.
    package mutating func call(
        _ method: String,
        parameters: some Encodable = NoParameters(),
        mode: Call.Mode = .single
    ) throws {
        precondition(mode != .upgrade, "a client that can't upgrade")
        let message = OutgoingMessage(
            method: method,
            oneway: mode == .oneway ? true : nil,
            more: mode == .more ? true : nil,
            parameters: parameters is NoParameters ? nil : parameters
        )
        outbox.append(try message.encoded())
    }

    /// Hands bytes to `write` once, which returns how many it took, or `nil` for none.
    ///
    /// - Returns: Whether some were taken, so that it is worth going on.
    /// - Throws: What `write` throws.
    package mutating func send<Failure>(
        _ write: (Span<UInt8>) throws(Failure) -> Int?
    ) throws(Failure) -> Bool {
        try outbox.send(write)
    }

    /// Lets `read` append bytes that came from the service.
    ///
    /// - Parameters:
    ///   - capacity: The most bytes that `read` may append.
    ///   - read: Gets the free space, and appends what came.
    /// - Returns: What `read` returns.
    /// - Throws: What `read` throws; bytes that it appended before count.
    package mutating func receive<Value, Failure>(
        upTo capacity: Int,
        _ read: (inout OutputSpan<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try framing.append(upTo: capacity, read)
    }

    /// Takes the next reply, or returns `nil` if it is not complete.
    ///
    /// - Throws: If the service sent what is no reply.
    package mutating func nextReply() throws(MalformedMessage) -> Reply? {
        guard let message = try framing.next() else { return nil }
        return try Reply(decoding: message)
    }
}
