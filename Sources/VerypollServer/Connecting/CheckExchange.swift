internal import Console
internal import VerypollConfiguration

/// The bytes that a health check exchanges with a server, and their meaning; performs no I/O.
struct CheckExchange {
    /// The number of bytes of an answer that are read.
    static let answerLimit = CheckBytes.limit

    /// The next step of a check.
    enum Step: Equatable {
        /// Read on.
        case wait
        /// Send these bytes, then read on.
        case send([UInt8])
        case success
        /// The server is not healthy, for this reason.
        case failure(String)
        /// The server is not healthy, as its own text says.
        case refusal(String)
        /// The answer is not one of a healthy server.
        case unexpected
    }

    private enum Answer {
        case none
        case bytes(ByteSearch)
        case http(HTTPAnswer)
        case redis(RedisAnswer)
        case postgreSQL(PostgreSQLAnswer)
    }

    /// The bytes to send first, without a PROXY header.
    let request: [UInt8]
    private var answer: Answer
    /// The first bytes of the answer, for messages.
    private var beginning: [UInt8] = []
    private var receivedCount = 0
    /// Whether messages show only the number of bytes.
    private let hidesAnswers: Bool

    /// The number of bytes of an answer that messages show.
    private static let shownCount = 64
    /// The number of bytes of a server's own text that messages show.
    private static let textLimit = 200

    /// Makes the exchange of a check.
    ///
    /// - Parameters:
    ///   - check: The configured check.
    ///   - server: The configured address of the server.
    ///   - version: The version of the daemon.
    init(_ check: UpstreamConfiguration.HealthCheck, of server: UpstreamAddress, version: String) {
        hidesAnswers = check.hidesAnswers
        switch check.service {
        case .http(let http):
            request = http.request(to: server, port: check.port, version: version)
            answer = .http(HTTPAnswer(expecting: http.status))
        case .postgresql(let names):
            request = names.request
            answer = .postgreSQL(PostgreSQLAnswer())
        case .redis:
            request = RedisAnswer.request
            answer = .redis(RedisAnswer())
        case nil:
            request = check.send.bytes
            let expected = check.expect.bytes
            answer = expected.isEmpty ? .none : .bytes(ByteSearch(expected))
        }
    }

    /// Whether the check reads an answer.
    var readsAnswer: Bool { if case .none = answer { false } else { true } }

    /// Whether the server has proven to be healthy, and the check only waits for a regular end.
    var isProven: Bool {
        if case .postgreSQL(let answer) = answer { answer.isAdmitted } else { false }
    }

    /// The number of bytes to read next, at most; 0 if the answer is too long.
    var room: Int { Self.answerLimit - receivedCount }

    /// Handles the next bytes of the answer, at most ``room``.
    ///
    /// - Returns: The next step; neither a refusal nor unexpected, but the failure with its reason.
    mutating func receive(_ bytes: [UInt8]) -> Step {
        receivedCount += bytes.count
        beginning += bytes.prefix(Self.shownCount - beginning.count)
        switch read(bytes) {
        case .wait where room <= 0:
            if isProven { return .success }
            return .failure("its first \(Self.answerLimit) bytes are not the expected answer")
        case .refusal(let text):
            let bytes = Array(text.utf8.prefix(Self.textLimit))
            return .failure("it answered \(shown(bytes))")
        case .unexpected: return .failure("it answered \(shown(beginning))")
        case let step: return step
        }
    }

    /// Returns the result of a check whose answer has ended.
    func end() -> Step {
        if isProven { return .success }
        return .failure("its answer ended after \(shown(beginning))")
    }

    /// Returns the result of a check whose time is over.
    func expire() -> Step {
        if isProven { return .success }
        if beginning.isEmpty { return .failure("no answer in time") }
        return .failure("no expected answer in time, but \(shown(beginning))")
    }

    private mutating func read(_ bytes: [UInt8]) -> Step {
        switch answer {
        case .none: return .success
        case .bytes(var search):
            let isFound = search.finds(in: bytes)
            answer = .bytes(search)
            return isFound ? .success : .wait
        case .http(var http):
            let step = http.receive(bytes)
            answer = .http(http)
            return step
        case .redis(var redis):
            let step = redis.receive(bytes)
            answer = .redis(redis)
            return step
        case .postgreSQL(var postgreSQL):
            let step = postgreSQL.receive(bytes)
            answer = .postgreSQL(postgreSQL)
            return step
        }
    }

    private func shown(_ bytes: [UInt8]) -> String {
        guard !hidesAnswers else { return "\(receivedCount) bytes" }
        return String(decoding: bytes, as: UTF8.self).escapedForPeople.quoted
    }
}
