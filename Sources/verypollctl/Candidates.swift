internal import Console
internal import Varlink
internal import VerypollControl

/// What the daemon knows that a shell can complete; nothing where it does not answer at once.
enum Candidates {
    private static let timeout = Duration.milliseconds(300)
    private static let sessionLimit = 500

    /// The names of the listeners.
    static func listeners(words: [String], index: Int, prefix: String) -> [String] {
        typeable(ask(.listListeners, words, as: ListenerList.self)?.listeners.map(\.name))
    }

    /// The names of the upstreams.
    static func upstreams(words: [String], index: Int, prefix: String) -> [String] {
        typeable(ask(.listUpstreams, words, as: UpstreamList.self)?.upstreams.map(\.name))
    }

    /// The addresses of the servers of the upstream that is named already, or of all.
    static func servers(words: [String], index: Int, prefix: String) -> [String] {
        let upstreams = ask(.listUpstreams, words, as: UpstreamList.self)?.upstreams ?? []
        let named = upstreams.filter { words.contains($0.name) }
        return typeable((named.isEmpty ? upstreams : named).flatMap { $0.servers.map(\.address) })
    }

    /// The numbers of the open sessions.
    static func sessions(words: [String], index: Int, prefix: String) -> [String] {
        let query = SessionQuery(limit: sessionLimit)
        return ask(.listSessions, words, query, as: SessionList.self)?.sessions.map { "\($0.id)" }
            ?? []
    }

    /// Those that a shell can show as they are: names with control characters are left out.
    private static func typeable(_ names: [String]?) -> [String] {
        names?.filter { !$0.needsEscaping } ?? []
    }

    private static func ask<Answer: Decodable>(
        _ method: DaemonInterface.Method,
        _ words: [String],
        _ parameters: some Encodable = NoParameters(),
        as type: Answer.Type
    ) -> Answer? {
        do throws(Failure) {
            let path = socket(in: words) ?? DaemonConnection.defaultPath()
            var daemon = try DaemonConnection(path: path, timeout: timeout)
            return try daemon.call(method.rawValue, parameters: parameters, as: type)
        } catch {
            return nil
        }
    }

    /// The socket that the command line names.
    static func socket(in words: [String]) -> String? {
        let option = "--socket"
        for (index, word) in words.enumerated() {
            if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
            if word == option, index + 1 < words.count {
                // Some shells make three words of an option and its value.
                let next = words[index + 1]
                guard next == "=" else { return next }
                return index + 2 < words.count ? words[index + 2] : nil
            }
        }
        return nil
    }
}
