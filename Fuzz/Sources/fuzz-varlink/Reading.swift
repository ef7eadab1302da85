internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// What a client has sent, as the description of Varlink has it.
///
/// It decides by a grammar of its own whether a message is JSON, and takes the values from the
/// daemon's parser; calls are decoded by Foundation's.
struct Reading {
    /// A call that wants an answer.
    private struct Expectation {
        let method: String
        let takesMore: Bool
    }

    private static let messageLimit = 1 << 20
    private static let blanks = [UInt8](repeating: UInt8(ascii: " "), count: 270_000)

    private var expectations: [Expectation] = []
    /// Whether it has what readers of JSON may differ about.
    private var isAmbiguous = false

    /// The input with very many blanks for each byte 1, the first four of them.
    static func expand(_ input: [UInt8]) -> [UInt8] {
        var rest = 4
        return input.reduce(into: []) { stream, byte in
            if byte == 1, rest > 0 {
                rest -= 1
                stream += blanks
            } else {
                stream.append(byte)
            }
        }
    }

    init(_ stream: [UInt8]) {
        // What follows the last zero byte is no message yet.
        for message in stream.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            guard message.count <= Self.messageLimit else { return }
            let text = Array(message)
            isAmbiguous = Call.isAmbiguous(text)
            guard !isAmbiguous, let call = Call(text) else { return }
            if call.mode == "oneway" { continue }
            expectations.append(Expectation(method: call.method, takesMore: call.mode == "more"))
        }
    }

    /// Holds what came against what had to come.
    func check(_ bytes: [UInt8]) {
        require(bytes.last ?? 0 == 0, "the last answer is not whole")
        if isAmbiguous { return }
        var answers = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()[...]
        for expectation in expectations {
            var count = 0
            while true {
                guard let answer = answers.popFirst() else {
                    // Monitor is answered until the client is gone, and no other call after it.
                    let isMonitor = expectation.method.hasSuffix(".Monitor") && count > 0
                    return require(isMonitor, "\(expectation.method) is not answered")
                }
                count += 1
                let continues = check(answer, to: expectation.method)
                require(!continues || expectation.takesMore, "continues without more")
                if !continues { break }
            }
        }
        require(answers.isEmpty, "\(answers.count) answers too many")
    }

    /// Whether the answer says that another follows.
    private func check(_ answer: ArraySlice<UInt8>, to method: String) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        guard let document = try? JSONDocument(parsing: Array(answer)), document.duplicates.isEmpty,
            case .object(let object) = document.root.content
        else {
            require(false, "no answer: \(text)")
            return false
        }
        let names = Set(object.members.map(\.key))
        require(names.isSubset(of: ["error", "parameters", "continues"]), text)
        // Of errors about names, it is known to which call they belong.
        let parameters = document.root["parameters"]
        if case .string(let name)? = parameters?["method"]?.content,
            case .string(let error)? = document.root["error"]?.content,
            error.hasSuffix(".MethodNotFound")
        {
            require(name == method, "\(text) in answer to \(method)")
        }
        guard case .boolean(true)? = document.root["continues"]?.content else { return false }
        return true
    }
}

/// A message as the description of Varlink has it.
private struct Call {
    let method: String
    var mode: String?

    /// Whether an object has a key twice, an escape may be half a character, or values stand deeper
    /// in each other than the configuration may.
    static func isAmbiguous(_ message: [UInt8]) -> Bool {
        let depth = message.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        guard depth <= JSONLimits().depth else { return true }
        let text = String(decoding: message, as: UTF8.self)
        if text.contains(#"\ud"#) || text.contains(#"\uD"#) { return true }
        return (try? JSONDocument(parsing: message))?.duplicates.isEmpty == false
    }

    init?(_ message: [UInt8]) {
        let document = try? JSONDocument(parsing: message)
        require((document != nil) == JSONGrammar.isValid(message), "JSON or not")
        guard let object = document?.root.object else { return nil }
        var method: String?
        for member in object.members {
            switch (member.key, member.value.content) {
            case ("method", .string(let name)): method = name
            case ("method", _): return nil
            case ("oneway", .boolean(let isOn)), ("more", .boolean(let isOn)),
                ("upgrade", .boolean(let isOn)):
                guard isOn else { break }
                guard mode == nil else { return nil }
                mode = member.key
            case ("oneway", _), ("more", _), ("upgrade", _): return nil
            case ("parameters", .object), ("parameters", .null): break
            case ("parameters", _): return nil
            case (let name, _):
                guard name.contains(".") else { return nil }
            }
        }
        guard let method else { return nil }
        self.method = method
    }
}
