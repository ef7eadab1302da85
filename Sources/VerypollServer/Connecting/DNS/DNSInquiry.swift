internal import Verypoll

/// Several questions to one name server after another, until each has its answer.
///
/// This is a value without I/O: ``DNSClient`` sends the messages that it returns, and passes the
/// received ones to it. A message that does not fit any open question is ignored, so that the
/// answer of a foreign sender, or to an earlier question, does no harm.
struct DNSInquiry {
    /// The most questions that wait for their answers at a time, so that neither the name server
    /// nor the buffers of the sockets are flooded.
    static let windowLimit = 32

    private enum Stage {
        /// The question has to be sent to the present server.
        case ready
        /// The question was sent.
        case sent
        /// The answer did not fit a datagram, so the question must be sent over TCP.
        case truncated
        case answered(DNSMessage)
        /// The present server, or an earlier one, has no answer for this reason.
        case failed(String, isFinal: Bool)
    }

    private struct Item {
        let question: DNSQuestion
        var stage = Stage.ready
        /// Whether the question was ever sent.
        var wasSent = false
        /// Whether the present server may know RFC 6891.
        var isExtended = true
    }

    private var items: [Item]
    private var server: SocketAddress?
    /// The item of each question in progress, by the identifier of its message.
    private var sent: [UInt16: Int] = [:]
    /// The number of questions in progress that take room in the window.
    private var windowCount = 0
    /// The items that may be ``Stage/ready``, in the order in which to send them.
    private var queue: [Int] = []
    /// All items of the queue before this index have been sent.
    private var queueStart = 0
    private var sawInvalidMessage = false

    init(_ questions: [DNSQuestion]) {
        items = questions.map { Item(question: $0) }
    }

    /// Begins to ask a server the questions that have no answer.
    ///
    /// - Parameters:
    ///   - server: The server to ask from now on.
    ///   - isRepetition: Whether all servers have been asked. Questions whose last server replied
    ///     with an error are then not asked again.
    /// - Returns: Whether there are such questions.
    mutating func begin(with server: SocketAddress, isRepetition: Bool) -> Bool {
        self.server = server
        sent = [:]
        windowCount = 0
        sawInvalidMessage = false
        queue = []
        queueStart = 0
        for index in items.indices {
            switch items[index].stage {
            case .answered: continue
            case .failed(_, let isFinal) where isFinal && isRepetition: continue
            default: break
            }
            items[index].stage = .ready
            items[index].isExtended = true
            queue.append(index)
        }
        // A server without an answer to the first ones must not cost the others their turn.
        queue = queue.filter { !items[$0].wasSent } + queue.filter { items[$0].wasSent }
        return !queue.isEmpty
    }

    /// Whether answers are awaited.
    var isWaiting: Bool { !sent.isEmpty }

    /// Returns the next message to send as a datagram; `nil` if there is none, or none until
    /// another answer has arrived.
    mutating func nextDatagram() -> [UInt8]? {
        guard windowCount < Self.windowLimit else { return nil }
        while queueStart < queue.count {
            queueStart += 1
            let index = queue[queueStart - 1]
            if case .ready = items[index].stage {
                windowCount += 1
                return send(index)
            }
        }
        return nil
    }

    /// Whether questions are left that ``nextDatagram()`` returns once there is room.
    var hasMoreDatagrams: Bool { queueStart < queue.count }

    /// Makes room for other questions, because the answers to those in progress are late; their
    /// answers are still awaited.
    ///
    /// A name server that has to ask others, which do not answer, is late with some names only.
    mutating func makeRoom() { windowCount = 0 }

    /// Whether there are questions for ``nextSegment()``.
    var needsStream: Bool { firstTruncated != nil }

    /// Returns the next message to send over TCP, after its length; `nil` if there is none.
    mutating func nextSegment() -> [UInt8]? {
        guard let index = firstTruncated else { return nil }
        let message = send(index)
        return [UInt8(message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    }

    /// Handles a received message.
    ///
    /// - Parameters:
    ///   - bytes: The message, without its length.
    ///   - isStream: Whether it arrived over TCP.
    /// - Returns: Whether it was awaited.
    mutating func receive(_ bytes: [UInt8], isStream: Bool) -> Bool {
        guard let message = try? DNSMessage(bytes), message.isAnswer,
            let index = sent[message.identifier], message.isAnswer(to: items[index].question)
        else {
            sawInvalidMessage = true
            return false
        }
        sent[message.identifier] = nil
        windowCount = max(0, windowCount - 1)
        items[index].stage = stage(after: message, of: items[index], isStream: isStream)
        switch items[index].stage {
        case .ready, .truncated:
            items[index].isExtended = items[index].isExtended && !message.rejectsExtension
            queue.append(index)
        default: break
        }
        return true
    }

    /// Ends the exchange of datagrams with the present server: questions without an answer have
    /// failed, except for those whose answer was truncated.
    mutating func endDatagrams() {
        let reason = silence("")
        for index in items.indices {
            switch items[index].stage {
            case .ready, .sent: items[index].stage = failure(reason, isFinal: false)
            default: continue
            }
        }
        sent = [:]
        sawInvalidMessage = false
    }

    /// Ends the exchange over TCP with the present server: questions without an answer have failed.
    mutating func endStream() { end(silence(" over TCP")) }

    /// Ends all questions to the present server that have no answer.
    ///
    /// - Parameter reason: A clause that follows the name of the server.
    mutating func end(_ reason: String) {
        for index in items.indices {
            switch items[index].stage {
            case .ready, .sent, .truncated:
                items[index].stage = failure(reason, isFinal: false)
            default: continue
            }
        }
        sent = [:]
    }

    /// The answers to the questions, in their order.
    var results: [Result<DNSMessage, NameLookupFailure>] {
        items.map { item in
            switch item.stage {
            case .answered(let message): .success(message)
            case .failed(let reason, _): .failure(NameLookupFailure(reason: reason))
            default: .failure(NameLookupFailure(reason: "there was no time to ask a name server"))
            }
        }
    }

    private func silence(_ medium: String) -> String {
        sawInvalidMessage
            ? "sent no valid answer\(medium) in time" : "did not answer\(medium) in time"
    }

    private var firstTruncated: Int? {
        items.firstIndex { if case .truncated = $0.stage { true } else { false } }
    }

    private mutating func send(_ index: Int) -> [UInt8] {
        var identifier = UInt16.random(in: 0 ... .max)
        while sent[identifier] != nil { identifier = UInt16.random(in: 0 ... .max) }
        sent[identifier] = index
        items[index].stage = .sent
        items[index].wasSent = true
        let item = items[index]
        return item.question.message(identifier: identifier, extended: item.isExtended)
    }

    private func stage(after message: DNSMessage, of item: Item, isStream: Bool) -> Stage {
        if item.isExtended, message.rejectsExtension { return isStream ? .truncated : .ready }
        if message.isTruncated {
            return isStream
                ? failure("truncated its answer over TCP", isFinal: true) : .truncated
        }
        switch message.code {
        case DNSMessage.Code.none, DNSMessage.Code.noSuchName: return .answered(message)
        case DNSMessage.Code.serverFailure: return failure("failed (SERVFAIL)", isFinal: true)
        case DNSMessage.Code.refused:
            return failure("refused the question (REFUSED)", isFinal: true)
        default: return failure("answered with the error code \(message.code)", isFinal: true)
        }
    }

    private func failure(_ reason: String, isFinal: Bool) -> Stage {
        let name = server.map { "the name server \($0)" } ?? "a name server"
        return .failed("\(name) \(reason)", isFinal: isFinal)
    }
}

extension DNSMessage {
    /// Whether the server may not know RFC 6891.
    fileprivate var rejectsExtension: Bool {
        code == Code.malformedQuestion || code == Code.notImplemented
    }

    /// Whether the message answers this question; some error messages do not repeat it.
    fileprivate func isAnswer(to question: DNSQuestion) -> Bool {
        guard let answered = self.question else {
            let errors = [
                Code.malformedQuestion, Code.serverFailure, Code.notImplemented, Code.refused,
            ]
            return errors.contains(code)
        }
        return answered == question
    }
}
