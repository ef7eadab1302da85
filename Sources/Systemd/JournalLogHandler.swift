internal import CSystemd
internal import Console
internal import Glibc
package import Logging

/// Sends each event to the journal, its metadata as fields of their own.
///
/// `journalctl VERYPOLL_LISTENER=web` then finds what a listener `web` has logged with the metadata
/// `listener`. The message is for people, so that nothing in it can steer a terminal; fields
/// are exact. An event that the journal does not take is lost, as there is nowhere to say so. See
/// sd_journal_sendv(3).
package struct JournalLogHandler: ThresholdLogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    let threshold: LogThreshold
    private let identifier: String

    /// Makes a handler that names the process `identifier`, as syslog does.
    package init(identifier: String, threshold: LogThreshold) {
        self.identifier = identifier
        self.threshold = threshold
    }

    package func log(event: LogEvent) {
        let entry = entry(for: event).map { Array($0.utf8) }
        // The vector points into one block, as pointers into many arrays cannot be held at once.
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

    /// The entry's fields, each as `NAME=value`.
    func entry(for event: LogEvent) -> [String] {
        [
            "MESSAGE=\(event.message.description.escapedForPeople)",
            "PRIORITY=\(event.level.priority)",
            "SYSLOG_IDENTIFIER=\(identifier)",
        ] + fields(of: event).map { "\(fieldName(for: $0.key))=\($0.value)" }
    }
}

/// Metadata keys that mean something to the handlers.
package enum MetadataKey {
    /// What kind of event it is, as 32 hexadecimal digits that mean nothing else.
    ///
    /// By them, the journal finds events, and their explanation in its catalog. See
    /// systemd.journal-fields(7).
    package static let messageID = "messageID"
}

/// The journal's name for a metadata key: `bytesIn` becomes `VERYPOLL_BYTES_IN`.
///
/// The journal allows capitals, digits and underscores of ASCII, 64 at most.
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
