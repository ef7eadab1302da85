package import Logging
internal import Synchronization

/// The least level that is logged, shared by all loggers of a process and changeable at any time.
package final class LogThreshold: Sendable {
    private let index: Atomic<Int>

    /// Starts at `level`.
    package init(_ level: Logger.Level) {
        index = Atomic(Logger.Level.allCases.firstIndex(of: level) ?? 0)
    }

    /// The least level that is logged.
    package var level: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set {
            let newIndex = Logger.Level.allCases.firstIndex(of: newValue) ?? 0
            index.store(newIndex, ordering: .relaxed)
        }
    }
}

/// A log handler whose copies all have the level of one threshold.
///
/// A logger's level is its own elsewhere; here an administrator changes that of the process, and
/// loggers that were made long ago, on whatever thread, have to follow.
protocol ThresholdLogHandler: LogHandler {
    var threshold: LogThreshold { get }
}

extension ThresholdLogHandler {
    package var logLevel: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// All metadata of an event, sorted by key; its error counts as metadata too.
    ///
    /// That of the event itself goes before the provider's, and that before the logger's.
    func fields(of event: LogEvent) -> [(key: String, value: String)] {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = .string("\(error)") }
        return all.map { ($0, $1.description) }.sorted { $0.key < $1.key }
    }
}

extension Logger.Level {
    /// Makes the level of a number of syslog(3); what is graver than `critical` is that.
    package init(priority: Int) {
        self =
            switch priority {
            case ...2: .critical
            case 3: .error
            case 4: .warning
            case 5: .notice
            case 6: .info
            default: .debug
            }
    }

    /// The number of the level in syslog(3); it has no number for `trace`.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
