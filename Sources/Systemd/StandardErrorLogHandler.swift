internal import Console
internal import Glibc
package import Logging
package import SystemPackage

/// Writes each event as one line: the ``LineStart``, the message, and then the metadata as
/// `key=value`.
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
    private let output: FileDescriptor

    /// Creates a handler that writes to standard error or to another file.
    package init(
        lineStart: LineStart,
        threshold: LogThreshold,
        output: FileDescriptor = .standardError
    ) {
        self.lineStart = lineStart
        self.threshold = threshold
        self.output = output
    }

    package func log(event: LogEvent) {
        let start =
            switch lineStart {
            case .timeAndLevel: "\(timestamp()) \(event.level) "
            case .priority: "<\(event.level.priority)>"
            }
        let line = start + text(of: event) + "\n"
        // One call, so that lines of several threads do not mix. There is no place to report
        // errors.
        _ = try? output.writeAll(line.utf8)
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

/// Returns the date and time in UTC, in the format of RFC 3339.
private func timestamp() -> String {
    var now = time(nil)
    var date = unsafe tm()
    unsafe gmtime_r(&now, &date)
    var text = [UInt8](repeating: 0, count: 32)
    let count = unsafe text.withUnsafeMutableBytes { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { buffer in
            unsafe buffer.baseAddress.map { start in
                unsafe strftime(start, buffer.count, "%FT%TZ", &date)
            } ?? 0
        }
    }
    return String(decoding: text.prefix(count), as: UTF8.self)
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
