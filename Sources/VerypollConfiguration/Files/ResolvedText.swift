internal import StrictJSON
package import VerypollControl

/// A configuration file that refers to files or variables, as a text that refers to none.
///
/// A client sends this text, because the daemon reads no files on behalf of a client. The text
/// contains the included files and the values of variables. A file of addresses is represented by
/// its hash.
package struct ResolvedText: Sendable {
    /// The most descriptors that are assumed; the daemon checks its own limit.
    private static let descriptorLimit = 1 << 30

    /// The text.
    package let text: String

    private let configuration: Configuration
    /// The merged document, with the positions of its values.
    private let root: JSONValue

    /// Resolves a text, or returns `nil` if it refers to nothing or is not JSON; it can then be
    /// sent as it is.
    ///
    /// - Parameters:
    ///   - text: The text of the file.
    ///   - file: The path of the file.
    ///   - variables: The values of variables.
    ///   - remedy: The remedy for an unknown variable, in the imperative.
    /// - Throws: The problems that the daemon would find, except those with its limits.
    package init?(
        _ text: String,
        file: String,
        variables: Variables,
        remedy: String
    ) throws(ConfigurationError) {
        let bytes = Array(text.utf8)
        guard let plain = try? JSONDocument(parsing: bytes), plain.root.refersToOthers else {
            return nil
        }
        let surroundings = Surroundings(variables: variables, remedy: remedy)
        (configuration, root) = try Configuration.parse(
            bytes,
            file: file,
            descriptorLimit: Self.descriptorLimit,
            surroundings: surroundings
        )
        self.text = Self.text(of: root, as: configuration.unconcealed)
    }

    /// The paths of all files that were read.
    package var paths: [String] { configuration.files.value.map(AbsolutePath.of) }

    /// Returns a problem that the daemon has found in the text, with its place in the files.
    package func located(_ problem: Problem) -> Problem {
        let position = root.nearestValue(at: JSONPointer(text: problem.pointer)).position
        return Problem(
            file: configuration.file(of: position) ?? problem.file,
            line: position?.line,
            column: position?.column,
            pointer: problem.pointer,
            message: problem.message
        )
    }

    /// Returns a change that the daemon has found, without the values of credentials.
    package func concealed(_ change: ConfigurationChange) -> ConfigurationChange {
        guard configuration.concealment.value.hasStrings, change.after != nil else { return change }
        var change = change
        let pointer = JSONPointer(text: change.pointer)
        change.after = JSONValue.object(configuration.effective).nearestValue(at: pointer).text
        return change
    }

    /// Returns the text of a document, with lists of addresses as in the effective configuration.
    private static func text(of root: JSONValue, as effective: [String: JSONValue]) -> String {
        guard case .object(let object) = root.content else { return root.text }
        let values = object.members.map { member -> JSONValue in
            switch member.key {
            case "include": return .array([])
            case "listeners":
                return listeners(member.value, as: effective["listeners"]).escapingVariables()
            default: return member.value.escapingVariables()
            }
        }
        return JSONValue(.object(JSONObject(object, values: values))).text
    }

    private static func listeners(_ value: JSONValue, as effective: JSONValue?) -> JSONValue {
        guard case .object(let listeners) = value.content else { return value }
        let values = listeners.members.map { listener -> JSONValue in
            guard case .object(let object) = listener.value.content else { return listener.value }
            let values = object.members.map { member in
                guard ["allow", "deny"].contains(member.key) else { return member.value }
                return effective?[listener.key]?[member.key] ?? member.value
            }
            return JSONValue(.object(JSONObject(object, values: values)))
        }
        return JSONValue(.object(JSONObject(listeners, values: values)))
    }
}

extension JSONValue {
    /// Whether the configuration refers to files or variables.
    fileprivate var refersToOthers: Bool {
        if self["include"] != nil || namesVariable { return true }
        return (self["listeners"]?.object?.members ?? []).contains { listener in
            ["allow", "deny"].contains { key in
                let value = listener.value[key]
                return value?.object != nil || value?.array?.contains { $0.object != nil } == true
            }
        }
    }
}

extension JSONPointer {
    /// Parses the text form of a pointer.
    fileprivate init(text: String) {
        let tokens = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        self.init(
            tokens.map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
        )
    }
}
