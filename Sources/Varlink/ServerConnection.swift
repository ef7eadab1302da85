/// The service's side of one connection, without its socket.
///
/// The owner feeds bytes in with ``receive(upTo:_:)``, takes calls one at a time with
/// ``nextCall()``, answers each with ``reply(_:continues:)`` or ``fail(_:)``, and writes the
/// replies with ``send(_:)``. A call is returned only after the one before it was answered, so that
/// replies are in the order of the calls.
package struct ServerConnection {
    /// No call is returned while more bytes than this are unsent.
    private static let outputHighWater = 64 << 10

    /// The most unsent bytes by default.
    package static let outputLimit = 4 << 20

    private let outputLimit: Int
    private let oversizeError: VarlinkError?
    private var framing: MessageFraming
    private var outbox = Outbox()
    private var current: Call.Mode?
    /// Whether a taken message is still being decoded.
    private var isDecoding = false
    private var inputHasEnded = false
    private var hasOverflowed = false

    /// The number of calls returned so far, which identifies the call in progress.
    package private(set) var callCount = 0

    /// Creates a new connection.
    ///
    /// - Parameters:
    ///   - messageLimit: The most bytes that a call may have.
    ///   - outputLimit: The most unsent bytes. One more byte finishes the connection.
    ///   - oversizeError: The error that replaces a single reply longer than `outputLimit`. If
    ///     `nil`, such a reply finishes the connection.
    package init(
        messageLimit: Int = MessageFraming.messageLimit,
        outputLimit: Int = ServerConnection.outputLimit,
        oversizeError: VarlinkError? = nil
    ) {
        framing = MessageFraming(limit: messageLimit)
        self.oversizeError = oversizeError
        self.outputLimit = outputLimit
    }

    /// Whether a call is not answered yet.
    package var isCallInProgress: Bool { current != nil || isDecoding }

    /// Whether there is something to send.
    package var hasOutput: Bool { outbox.byteCount > 0 }

    /// Whether to read more bytes: not while a complete call waits, nor after the end of input.
    package var wantsInput: Bool {
        !inputHasEnded && !framing.hasNext
    }

    /// Whether ``nextCall()`` can take a message.
    package var hasCall: Bool {
        !isCallInProgress && outbox.byteCount <= Self.outputHighWater && framing.hasNext
    }

    /// The size of the received part of the next message.
    package var nextByteCount: Int { framing.nextByteCount }

    /// Whether the connection is done and must be closed.
    ///
    /// The connection is done when its input has ended and the last reply is sent, when the unsent
    /// replies exceed the limit, or when a reply cannot be encoded.
    package var isFinished: Bool {
        hasOverflowed
            || (inputHasEnded && !isCallInProgress && !hasOutput && !framing.hasNext)
    }

    /// Calls `read` to append bytes from the client.
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

    /// Notes that the client sends no more.
    ///
    /// Calls that were already received are still answered.
    package mutating func endInput() {
        inputHasEnded = true
    }

    /// Takes the next call.
    ///
    /// A message that is not a valid call ends the input: it gets no reply, and later bytes are
    /// ignored.
    ///
    /// - Returns: The call, or `nil` while a call is in progress, while too many bytes are unsent,
    ///   or if no message is complete.
    package mutating func nextCall() -> Call? {
        takeMessage().flatMap { begin($0) }
    }

    /// Takes the next message, to decode it elsewhere because it is long.
    ///
    /// No other call is returned until ``begin(_:)`` gets the decoded message.
    ///
    /// - Returns: The message, or `nil` as for ``nextCall()``.
    package mutating func takeMessage() -> UndecodedCall? {
        guard hasCall else { return nil }
        do throws(MalformedMessage) {
            guard let message = try framing.next() else { return nil }
            isDecoding = true
            return UndecodedCall(message: message)
        } catch {
            endForMalformedMessage()
            return nil
        }
    }

    /// Decodes a taken message and starts its call.
    ///
    /// - Returns: The call, now in progress, or `nil` if the message is not a valid call.
    package mutating func begin(_ message: UndecodedCall) -> Call? {
        begin(message.decoded())
    }

    /// Starts the call of a taken message that was decoded elsewhere.
    ///
    /// - Returns: The call, now in progress, or `nil` if the message is not a valid call.
    package mutating func begin(_ result: Result<Call, MalformedMessage>) -> Call? {
        precondition(isDecoding, "no message was taken")
        isDecoding = false
        switch result {
        case .success(let call):
            current = call.mode
            callCount += 1
            return call
        case .failure:
            endForMalformedMessage()
            return nil
        }
    }

    private mutating func endForMalformedMessage() {
        framing.removeAll()
        inputHasEnded = true
    }

    /// Whether the call in progress accepts more than one reply.
    package var acceptsMore: Bool { current == .more }

    /// Replies to the call in progress.
    ///
    /// Nothing is sent for a oneway call.
    ///
    /// - Parameters:
    ///   - parameters: The parameters of the reply.
    ///   - continues: Whether more replies follow. `true` traps unless the caller set `more`.
    package mutating func reply(_ parameters: some Encodable, continues: Bool = false) {
        precondition(current != nil, "reply without a call")
        precondition(!continues || current == .more, "continues requires more")
        answer(
            OutgoingMessage(
                continues: continues ? true : nil,
                parameters: parameters is NoParameters ? nil : parameters
            ),
            isFinal: !continues
        )
    }

    /// Sends replies to a call with `more`, after which more replies follow.
    package mutating func reply(_ reply: SharedReply) {
        precondition(current == .more, "continues requires more")
        append(reply.messages)
    }

    /// Ends the call in progress with encoded replies.
    ///
    /// Nothing is sent for a oneway call.
    package mutating func reply(_ reply: PreparedReply) {
        precondition(current != nil, "reply without a call")
        let mode = current
        current = nil
        if mode != .oneway { append(answer: reply.messages) }
    }

    /// Ends the call in progress with an error.
    ///
    /// Nothing is sent for a oneway call.
    package mutating func fail(_ error: VarlinkError) {
        precondition(current != nil, "error without a call")
        answer(
            OutgoingMessage(
                error: error.name,
                parameters: error.parameters.isEmpty ? nil : error.parameters
            ),
            isFinal: true
        )
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

    private mutating func answer<Parameters: Encodable>(
        _ message: OutgoingMessage<Parameters>,
        isFinal: Bool
    ) {
        let mode = current
        if isFinal { current = nil }
        guard mode != .oneway else { return }
        // JSON cannot represent some values, such as infinity. The client then gets no reply and
        // would take the next reply for this one, so the connection must end.
        guard let bytes = try? message.encoded() else {
            hasOverflowed = true
            return
        }
        append(answer: bytes)
    }

    private mutating func append(answer message: [UInt8]) {
        guard message.count > outputLimit, let oversizeError,
            let bytes = PreparedReply(failing: oversizeError)?.messages
        else { return append(message) }
        append(bytes)
    }

    private mutating func append(_ messages: [UInt8]) {
        guard outbox.byteCount + messages.count <= outputLimit else {
            hasOverflowed = true
            return
        }
        outbox.append(messages)
    }
}
