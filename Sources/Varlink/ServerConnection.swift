/// The service's side of one connection, without its socket.
///
/// Bytes go in through ``receive(upTo:_:)``, calls come out of ``nextCall()`` one at a time, each
/// is answered by ``reply(_:continues:)`` or ``fail(_:)``, and the answers leave through
/// ``send(_:)``. A call is handed out only when the one before it has been answered, so that
/// replies come in the order of the calls however long each takes.
package struct ServerConnection {
    /// Calls wait while more bytes than this wait to be sent.
    private static let outputHighWater = 64 << 10

    private let outputLimit: Int
    private let oversizeError: VarlinkError?
    private var framing: MessageFraming
    private var outbox = Outbox()
    private var current: Call.Mode?
    /// Whether a message was taken that is not decoded yet.
    private var isDecoding = false
    private var inputHasEnded = false
    private var hasOverflowed = false

    /// How many calls were handed out; it names the call in progress.
    package private(set) var callCount = 0

    /// Makes a connection on which nothing was said yet.
    ///
    /// - Parameters:
    ///   - messageLimit: The most bytes that a call may have.
    ///   - outputLimit: The most bytes that may wait to be sent; one more finishes the connection.
    ///   - oversizeError: The error that replaces an answer which is longer than that by itself;
    ///     if `nil`, the connection is finished.
    package init(
        messageLimit: Int = MessageFraming.messageLimit,
        outputLimit: Int = 4 << 20,
        oversizeError: VarlinkError? = nil
    ) {
        framing = MessageFraming(limit: messageLimit)
        self.oversizeError = oversizeError
        self.outputLimit = outputLimit
    }

    /// Whether a call was handed out that is not answered yet.
    package var isCallInProgress: Bool { current != nil || isDecoding }

    /// Whether there is something to send.
    package var hasOutput: Bool { outbox.byteCount > 0 }

    /// Whether bytes are wanted: not while a complete call waits, nor after the end of input.
    package var wantsInput: Bool {
        !inputHasEnded && !framing.hasNext
    }

    /// Whether ``nextCall()`` has something to do.
    package var hasCall: Bool {
        !isCallInProgress && outbox.byteCount <= Self.outputHighWater && framing.hasNext
    }

    /// The bytes of the next message, as far as they are here.
    package var nextByteCount: Int { framing.nextByteCount }

    /// Whether nothing remains to be done, so that the connection is to be closed.
    ///
    /// It is so when the client has sent its last byte and got its last answer, or when it left
    /// more answers unread than it may.
    package var isFinished: Bool {
        hasOverflowed
            || (inputHasEnded && !isCallInProgress && !hasOutput && !framing.hasNext)
    }

    /// Lets `read` append bytes that came from the client.
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

    /// Notes that the client sends no more; the calls that it sent are still answered.
    package mutating func endInput() {
        inputHasEnded = true
    }

    /// Takes the next call.
    ///
    /// What is no call ends the input: nothing is said about it, and what follows is not looked
    /// at.
    ///
    /// - Returns: `nil` while a call is in progress, while too many bytes wait to be sent, and if
    ///   none is complete.
    package mutating func nextCall() -> Call? {
        takeMessage().flatMap { begin($0) }
    }

    /// Takes the next message, which is to be decoded elsewhere because it is long.
    ///
    /// No other call is handed out before ``begin(_:)`` gets what was decoded.
    ///
    /// - Returns: As ``nextCall()``.
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

    /// Goes on with a message that was taken.
    ///
    /// - Returns: The call, which is in progress now; `nil` if the message is none.
    package mutating func begin(_ message: UndecodedCall) -> Call? {
        begin(message.decoded())
    }

    /// Goes on with a message that was taken, and decoded elsewhere.
    ///
    /// - Returns: The call, which is in progress now; `nil` if the message is none.
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

    /// Whether the call in progress takes more than one reply.
    package var acceptsMore: Bool { current == .more }

    /// Answers the call in progress; to a oneway call nothing is sent.
    ///
    /// - Parameters:
    ///   - parameters: What to tell.
    ///   - continues: Whether more replies follow, for which the caller must have asked.
    package mutating func reply(_ parameters: some Encodable, continues: Bool = false) {
        precondition(current != nil, "reply without a call")
        precondition(!continues || current == .more, "continues without more")
        answer(
            OutgoingMessage(
                continues: continues ? true : nil,
                parameters: parameters is NoParameters ? nil : parameters
            ),
            isFinal: !continues
        )
    }

    /// Sends more replies to a call that takes as many as there are.
    package mutating func reply(_ reply: SharedReply) {
        precondition(current == .more, "continues without more")
        append(reply.messages)
    }

    /// Answers the call in progress with what was encoded elsewhere; to a oneway call nothing is
    /// sent.
    package mutating func reply(_ reply: PreparedReply) {
        precondition(current != nil, "reply without a call")
        let mode = current
        current = nil
        if mode != .oneway { append(answer: reply.message) }
    }

    /// Ends the call in progress with an error; to a oneway call nothing is sent.
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

    /// Hands bytes to `write` once, which returns how many it took, or `nil` for none.
    ///
    /// - Returns: Whether some were taken, so that it is worth going on.
    /// - Throws: What `write` throws.
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
        // What JSON can't say, such as infinity, leaves the client without its answer; then the
        // connection can't go on, as the next answer would be taken for this one.
        guard let bytes = try? message.encoded() else {
            hasOverflowed = true
            return
        }
        append(answer: bytes)
    }

    private mutating func append(answer message: [UInt8]) {
        guard message.count > outputLimit, let oversizeError,
            let bytes = PreparedReply(failing: oversizeError)?.message
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
