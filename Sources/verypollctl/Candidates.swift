internal import Console
internal import Varlink
internal import VerypollControl

/// The candidates for shell completion; none if the daemon does not answer quickly.
enum Candidates {
    private static let timeout = Duration.milliseconds(300)
    private static let sessionLimit = 500

    /// Returns the names of the listeners.
    static func listeners(words: [String], index: Int, prefix: String) -> [String] {
        typeable(ask(.listListeners, words, as: ListenerList.self)?.listeners.map(\.name))
    }

    /// Returns the names of the upstreams.
    static func upstreams(words: [String], index: Int, prefix: String) -> [String] {
        typeable(ask(.listUpstreams, words, as: UpstreamList.self)?.upstreams.map(\.name))
    }

    /// Returns the addresses of the servers of the upstream on the command line, or of all
    /// upstreams.
    static func servers(words: [String], index: Int, prefix: String) -> [String] {
        let upstreams = ask(.listUpstreams, words, as: UpstreamList.self)?.upstreams ?? []
        let named = upstreams.filter { words.contains($0.name) }
        return typeable((named.isEmpty ? upstreams : named).flatMap { $0.servers.map(\.address) })
    }

    /// Returns the numbers of the open sessions.
    static func sessions(words: [String], index: Int, prefix: String) -> [String] {
        let query = SessionQuery(limit: sessionLimit)
        return ask(.listSessions, words, query, as: SessionList.self)?.sessions.map { "\($0.id)" }
            ?? []
    }

    /// Returns the names without control characters, which a shell can show unchanged.
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

    /// Returns the socket that the command line names, or `nil`.
    static func socket(in words: [String]) -> String? {
        let option = "--socket"
        for (index, word) in words.enumerated() {
            if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
            if word == option, index + 1 < words.count {
                // Some shells split an option and its value into three words.
                let next = words[index + 1]
                guard next == "=" else { return next }
                return index + 2 < words.count ? words[index + 2] : nil
            }
        }
        return nil
    }
}
