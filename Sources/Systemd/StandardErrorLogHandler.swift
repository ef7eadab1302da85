internal import Console
internal import Glibc
package import Logging
package import SystemPackage

/// Writes each event as one line: when, how grave, what, and then the metadata as `key=value`.
package struct StandardErrorLogHandler: ThresholdLogHandler {
    /// What a line begins with.
    package enum LineStart: Hashable, Sendable {
        /// The time in UTC and the level's name, for people and files.
        case timeAndLevel
        /// The level as `<N>`, for the journal, which knows the time; see sd-daemon(3).
        case priority
    }

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    let threshold: LogThreshold
    private let lineStart: LineStart
    private let output: FileDescriptor

    /// Makes a handler that writes to the standard error, or to what else is given.
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
        // One call, so that lines of several threads do not mix. There is nowhere to report errors.
        _ = try? output.writeAll(line.utf8)
    }

    /// The message and its metadata in one line, whatever the metadata brings along from outside.
    ///
    /// The message's identifier is left out: it is for the journal, and nobody reads it.
    func text(of event: LogEvent) -> String {
        let message = event.message.description.escapedForPeople
        return fields(of: event).lazy
            .filter { $0.key != MetadataKey.messageID }
            .reduce(message) { "\($0) \($1.key)=\($1.value.asLogValue)" }
    }
}

/// The time of day in UTC as RFC 3339 has it.
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
    /// The text as it is if it is one word, else in quotation marks.
    fileprivate var asLogValue: String {
        let isWord = !isEmpty && !contains { $0 == " " || $0 == "\"" || $0 == "=" }
        if isWord { return escapedForPeople }
        let escaped = reduce(into: "") { text, character in
            text += character == "\"" || character == "\\" ? "\\\(character)" : String(character)
        }
        return "\"\(escaped.escapedForPeople)\""
    }
}
