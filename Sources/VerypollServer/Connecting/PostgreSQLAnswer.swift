internal import VerypollConfiguration

/// The answer of a PostgreSQL server to a startup message.
///
/// The postmaster answers a request for TLS even while the server starts or recovers, so only a
/// startup message shows whether the server accepts sessions. As for pg_isready(1), every answer
/// counts as a success, also one that demands a password or refuses the user, except an error of
/// the class 57: the server starts, recovers or shuts down.
///
/// A server that admits the check without a password gets the message `Terminate`, and the check
/// waits for the end of the connection. Otherwise the server would log a broken connection.
struct PostgreSQLAnswer {
    /// The longest message that is read.
    private static let messageLimit = CheckExchange.answerLimit
    private static let terminate: [UInt8] = [UInt8(ascii: "X"), 0, 0, 0, 4]

    private var message: [UInt8] = []
    /// Whether the server has begun a session.
    private(set) var isAdmitted = false

    /// Continues with the next bytes of the answer.
    mutating func receive(_ bytes: [UInt8]) -> CheckExchange.Step {
        if isAdmitted { return .wait }
        message += bytes
        guard let type = message.first else { return .wait }
        guard [UInt8(ascii: "R"), UInt8(ascii: "E")].contains(type) else { return .unexpected }
        guard message.count >= 5 else { return .wait }
        let length = Self.number(message[1..<5])
        guard (8...Self.messageLimit).contains(length) else { return .unexpected }
        guard message.count > length else { return .wait }
        guard type == UInt8(ascii: "R") else { return judge(message[5..<length + 1]) }
        guard Self.number(message[5..<9]) == 0 else { return .success }
        isAdmitted = true
        return .send(Self.terminate)
    }

    /// Decides by the fields of an error: each has a type, a text and a zero byte.
    private func judge(_ fields: ArraySlice<UInt8>) -> CheckExchange.Step {
        func text(_ type: Character) -> String? {
            let field = fields.split(separator: 0).first { $0.first == type.asciiValue }
            return field.map { String(decoding: $0.dropFirst(), as: UTF8.self) }
        }
        guard let state = text("C"), state.hasPrefix("57") else { return .success }
        return .refusal("\(text("M") ?? "it accepts no sessions") (SQLSTATE \(state))")
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}

extension UpstreamConfiguration.HealthCheck.PostgreSQL {
    /// The startup message of protocol version 3.0.
    var request: [UInt8] {
        var names = ["user", user]
        if let database { names += ["database", database] }
        var body: [UInt8] = [0, 3, 0, 0]
        for name in names { body += Array(name.utf8) + [0] }
        body.append(0)
        let length = UInt32(body.count + 4)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + body
    }
}
