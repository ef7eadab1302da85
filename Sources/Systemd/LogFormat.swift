internal import Synchronization

/// The format of events on standard error, shared by all loggers of a process.
///
/// It can be changed at any time.
package final class LogFormat: Sendable {
    private let json: Atomic<Bool>

    /// Creates a format: lines for people, or a JSON object on each line.
    package init(isJSON: Bool = false) {
        json = Atomic(isJSON)
    }

    /// Whether each event is a JSON object.
    package var isJSON: Bool {
        get { json.load(ordering: .relaxed) }
        set { json.store(newValue, ordering: .relaxed) }
    }
}
