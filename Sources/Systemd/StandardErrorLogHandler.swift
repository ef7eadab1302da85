internal import Console
package import Logging
package import SystemPackage

/// Writes each event as one line: the ``LineStart``, the message, and then the metadata as
/// `key=value`; or as a JSON object, if the ``LogFormat`` says so.
package struct StandardErrorLogHandler: ThresholdLogHandler {
    /// The beginning of a line.
    package enum LineStart: Hashable, Sendable {
        /// The time in UTC and the name of the level, for people and files.
        case timeAndLevel
        /// The level as `<N>`, for the journal, which records the time itself; see sd-daemon(3).
        case priority
    }

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    let threshold: LogThreshold
    private let lineStart: LineStart
    private let format: LogFormat
    private let output: FileDescriptor

    /// Creates a handler that writes to standard error or to another file.
    package init(
        lineStart: LineStart,
        threshold: LogThreshold,
        format: LogFormat = LogFormat(),
        output: FileDescriptor = .standardError
    ) {
        self.lineStart = lineStart
        self.threshold = threshold
        self.format = format
        self.output = output
    }

    package func log(event: LogEvent) {
        let line =
            if format.isJSON {
                json(of: event, at: Timestamp.now().text) + "\n"
            } else {
                start(of: event) + text(of: event) + "\n"
            }
        // One call, so that lines of several threads do not mix. There is no place to report
        // errors.
        _ = try? output.writeAll(line.utf8)
    }

    private func start(of event: LogEvent) -> String {
        switch lineStart {
        case .timeAndLevel: "\(Timestamp.now().textInSeconds) \(event.level) "
        case .priority: "<\(event.level.priority)>"
        }
    }

    /// Returns the message and its metadata on one line, even if they contain line breaks from
    /// untrusted input.
    ///
    /// The message ID is left out, because only the journal uses it.
    func text(of event: LogEvent) -> String {
        let message = event.message.description.escapedForPeople
        return fields(of: event).lazy
            .filter { $0.key != MetadataKey.messageID }
            .reduce(message) { "\($0) \($1.key)=\($1.value.asLogValue)" }
    }
}

extension String {
    /// The text itself if it is a single word, otherwise the text in quotation marks.
    fileprivate var asLogValue: String {
        let isWord = !isEmpty && !contains { $0 == " " || $0 == "\"" || $0 == "=" }
        if isWord { return escapedForPeople }
        let escaped = reduce(into: "") { text, character in
            text += character == "\"" || character == "\\" ? "\\\(character)" : String(character)
        }
        return "\"\(escaped.escapedForPeople)\""
    }
}
