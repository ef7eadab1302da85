internal import StrictJSON

/// The keys of an object of the configuration, each with its form and its default.
///
/// Objects are read only by these tables, so the tests can compare the JSON schema with them.
package struct KeyTable: Sendable {
    /// The keys, in the order of the documentation.
    let keys: [Key]

    /// Makes a table of keys.
    init(_ keys: [Key]) {
        self.keys = keys
    }

    /// The key with a name, or `nil` if the name is unknown.
    subscript(name: String) -> Key? {
        keys.first { $0.name == name }
    }
}

/// A key of the configuration.
package struct Key: Sendable {
    /// The name of the key in the file.
    package let name: String

    /// The form of the value.
    package let form: ValueForm

    /// The default value, or `nil` if there is none.
    let fallback: JSONValue?

    /// Whether the object must have the key.
    let isRequired: Bool

    /// Makes an optional key.
    init(_ name: String, _ form: ValueForm, default fallback: JSONValue? = nil) {
        self.name = name
        self.form = form
        self.fallback = fallback
        isRequired = false
    }

    /// Makes a required key.
    package init(required name: String, _ form: ValueForm) {
        self.name = name
        self.form = form
        fallback = nil
        isRequired = true
    }
}
