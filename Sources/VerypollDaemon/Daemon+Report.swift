internal import Console
internal import Logging
internal import Systemd
package import VerypollServer

extension Daemon {
    /// Says why the daemon does not start: a line as an error each where the standard error is the
    /// journal, and as it is elsewhere.
    ///
    /// The journal reads these from the standard error, whose unit it knows. An entry in its own
    /// protocol could come when the process has ended already, and then belongs to no unit.
    package static func report(_ text: String, as kind: JournalMessageID) {
        guard LogDestination.standardError != .lines else {
            Console.printError(DisplayText.lines(of: text))
            return
        }
        let logger = Logger(label: "verypolld") { label in
            LogDestination.journalStream.makeHandler(label: label, threshold: LogThreshold(.error))
        }
        for line in text.split(separator: "\n") { logger.error(kind, "\(line)") }
    }
}
