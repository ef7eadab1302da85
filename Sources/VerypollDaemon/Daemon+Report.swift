internal import Console
internal import Logging
internal import Systemd
package import VerypollServer

extension Daemon {
    /// Reports why the daemon does not start or cannot continue: as one error per line if standard
    /// error is connected to the journal, as plain lines otherwise.
    ///
    /// The journal reads these entries from standard error, whose unit it knows. An entry in the
    /// journal's own protocol could arrive after the process has exited, and would then belong to
    /// no unit.
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
