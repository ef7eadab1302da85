internal import CSystemd
internal import Console
internal import Glibc
package import Logging

/// Sends each event to the journal, with its metadata as separate fields.
///
/// For example, `journalctl VERYPOLL_LISTENER=web` finds events logged with the metadata `listener`
/// set to `web`. The message is escaped, so that nothing in it can control a terminal. Field values
/// are not escaped. An event that the journal does not accept is lost, because there is no place to
/// report it. See sd_journal_sendv(3).
package struct JournalLogHandler: ThresholdLogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    let threshold: LogThreshold
    private let identifier: String

    /// Creates a handler whose entries have `identifier` as their syslog identifier.
    package init(identifier: String, threshold: LogThreshold) {
        self.identifier = identifier
        self.threshold = threshold
    }

    package func log(event: LogEvent) {
        let entry = entry(for: event).map { Array($0.utf8) }
        // The vector points into one block, because pointers into many arrays cannot be held at the
        // same time.
        var block = Array(entry.joined())
        unsafe block.withUnsafeMutableBytes { bytes in
            var vector: [iovec] = unsafe []
            var offset = 0
            for field in entry {
                let start = unsafe bytes.baseAddress.map { unsafe $0 + offset }
                unsafe vector.append(iovec(iov_base: start, iov_len: field.count))
                offset += field.count
            }
            unsafe _ = sd_journal_sendv(&vector, CInt(vector.count))
        }
    }

    /// Returns the fields of the journal entry, each as `NAME=value`.
    func entry(for event: LogEvent) -> [String] {
        [
            "MESSAGE=\(event.message.description.escapedForPeople)",
            "PRIORITY=\(event.level.priority)",
            "SYSLOG_IDENTIFIER=\(identifier)",
        ] + fields(of: event).map { "\(fieldName(for: $0.key))=\($0.value)" }
    }
}

/// Metadata keys with a meaning for the handlers.
package enum MetadataKey {
    /// The kind of the event, as a unique ID of 32 hexadecimal digits.
    ///
    /// Readers use it to find events in the journal, and their explanation in the journal catalog.
    /// See `MESSAGE_ID=` in systemd.journal-fields(7).
    package static let messageID = "messageID"
}

/// Returns the journal's field name for a metadata key: `bytesIn` becomes `VERYPOLL_BYTES_IN`.
///
/// The journal allows at most 64 characters: ASCII capital letters, digits and underscores.
func fieldName(for key: String) -> String {
    if key == MetadataKey.messageID { return "MESSAGE_ID" }
    var name = "VERYPOLL_"
    var previous: Character = "_"
    for character in key {
        if character.isUppercase, previous.isLowercase || previous.isNumber { name += "_" }
        let isAllowed = character.isASCII && (character.isLetter || character.isNumber)
        name += isAllowed ? character.uppercased() : "_"
        previous = character
    }
    return String(name.prefix(64))
}
