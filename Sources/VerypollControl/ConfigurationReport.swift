package import StrictJSON
internal import Varlink

/// A difference between two configurations.
///
/// The fields are documented in `io.verypoll.Daemon.varlink`.
package struct ConfigurationChange: Codable, Hashable, Sendable {
    /// The kind of a change.
    package enum Kind: String, CaseIterable, Codable, Sendable {
        case added
        case removed
        case changed
    }

    package var pointer: String
    package var kind: Kind
    package var before: String?
    package var after: String?

    /// Makes a change from its fields; the values are JSON.
    package init(pointer: String, kind: Kind, before: String?, after: String?) {
        self.pointer = pointer
        self.kind = kind
        self.before = before
        self.after = after
    }
}

extension ConfigurationChange {
    /// The approximate size of the change in a message.
    fileprivate var byteCount: Int {
        64 + pointer.utf8.count + (before?.utf8.count ?? 0) + (after?.utf8.count ?? 0)
    }
}

/// The reply of `CheckConfig` and of `Reload`.
package struct ChangeList: Codable, Hashable, Sendable {
    /// The maximum size of the text of a list, in bytes.
    private static let byteLimit = 1 << 20

    package var changes: [ConfigurationChange]
    package var omitted: Int?

    /// Makes a list from changes in the order of their pointers.
    ///
    /// Changes beyond the size limit are left out and counted.
    package init(changes: [ConfigurationChange]) {
        var byteCount = 0
        let fitting = changes.prefix { change in
            byteCount += change.byteCount
            return byteCount <= Self.byteLimit
        }
        self.changes = Array(fitting)
        omitted = fitting.count < changes.count ? changes.count - fitting.count : nil
    }
}

/// A problem in a configuration.
package struct Problem: Codable, Hashable, Sendable {
    package var file: String
    package var line: Int?
    package var column: Int?
    package var pointer: String
    package var message: String

    /// Makes a problem from its fields.
    package init(file: String, line: Int?, column: Int?, pointer: String, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.pointer = pointer
        self.message = message
    }
}

/// The configuration that is in effect: the reply of `GetConfig`.
package struct EffectiveConfiguration: Codable, Hashable, Sendable {
    package var config: [String: JSONValue]
    package var path: String?

    /// Makes a reply from the members of the configuration and the path of its file.
    package init(config: [String: JSONValue], path: String?) {
        self.config = config
        self.path = path
    }
}

/// The text of a configuration: the parameters of `CheckConfig`.
package struct ConfigurationText: CallParameters, Codable, Hashable {
    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case text
    }

    package var text: String

    /// Makes the parameters from a text.
    package init(text: String) {
        self.text = text
    }
}
