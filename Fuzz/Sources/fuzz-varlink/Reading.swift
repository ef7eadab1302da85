internal import FuzzSupport

@testable internal import StrictJSON
@testable internal import VerypollConfiguration
@testable internal import VerypollDaemon
@testable internal import VerypollServer

/// The expected answers to a client's input, according to the Varlink specification.
///
/// It uses its own grammar to decide whether a message is JSON, takes values from the daemon's
/// parser, and decodes calls with Foundation.
struct Reading {
    /// A call that must be answered.
    private struct Expectation {
        let method: String
        let takesMore: Bool
    }

    private static let messageLimit = 1 << 20
    private static let blanks = [UInt8](repeating: UInt8(ascii: " "), count: 270_000)

    private var expectations: [Expectation] = []
    /// Whether the input contains JSON that parsers may interpret differently.
    private var isAmbiguous = false

    /// Returns the input with the first four bytes 1 expanded to very many spaces each.
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
        // The bytes after the last zero byte are not a complete message.
        for message in stream.split(separator: 0, omittingEmptySubsequences: false).dropLast() {
            guard message.count <= Self.messageLimit else { return }
            let text = Array(message)
            isAmbiguous = Call.isAmbiguous(text)
            guard !isAmbiguous, let call = Call(text) else { return }
            if call.mode == "oneway" { continue }
            expectations.append(Expectation(method: call.method, takesMore: call.mode == "more"))
        }
    }

    /// Compares the received bytes with the expected answers.
    func check(_ bytes: [UInt8]) {
        require(bytes.last ?? 0 == 0, "the last answer is incomplete")
        if isAmbiguous { return }
        var answers = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()[...]
        for expectation in expectations {
            var count = 0
            while true {
                guard let answer = answers.popFirst() else {
                    // Monitor is answered until the client disconnects, and no call after it is.
                    let isMonitor = expectation.method.hasSuffix(".Monitor") && count > 0
                    return require(isMonitor, "\(expectation.method) was not answered")
                }
                count += 1
                let continues = check(answer, to: expectation.method)
                require(!continues || expectation.takesMore, "continues without more")
                if !continues { break }
            }
        }
        require(answers.isEmpty, "\(answers.count) answers too many")
    }

    /// Checks one answer; returns whether it announces another.
    private func check(_ answer: ArraySlice<UInt8>, to method: String) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        guard let document = try? JSONDocument(parsing: Array(answer)), document.duplicates.isEmpty,
            case .object(let object) = document.root.content
        else {
            require(false, "not a valid answer: \(text)")
            return false
        }
        let names = Set(object.members.map(\.key))
        require(names.isSubset(of: ["error", "parameters", "continues"]), text)
        // Errors with a name in their parameters can be matched to their call.
        let parameters = document.root["parameters"]
        if case .string(let name)? = parameters?["method"]?.content,
            case .string(let error)? = document.root["error"]?.content,
            error.hasSuffix(".MethodNotFound")
        {
            require(name == method, "\(text) as the answer to \(method)")
        }
        guard case .boolean(true)? = document.root["continues"]?.content else { return false }
        return true
    }
}

/// A message, parsed according to the Varlink specification.
private struct Call {
    let method: String
    var mode: String?

    /// Returns whether an object has a duplicate key, an escape may be half a surrogate pair, or
    /// values are nested deeper than in a configuration.
    static func isAmbiguous(_ message: [UInt8]) -> Bool {
        let depth = message.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        guard depth <= JSONLimits().depth else { return true }
        let text = String(decoding: message, as: UTF8.self)
        if text.contains(#"\ud"#) || text.contains(#"\uD"#) { return true }
        return (try? JSONDocument(parsing: message))?.duplicates.isEmpty == false
    }

    init?(_ message: [UInt8]) {
        let document = try? JSONDocument(parsing: message)
        require((document != nil) == JSONGrammar.isValid(message), "wrong about JSON")
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
