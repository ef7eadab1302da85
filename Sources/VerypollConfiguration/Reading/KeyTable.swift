internal import StrictJSON

/// The keys that an object of the configuration has, each with its form and its default.
///
/// Objects are read by these tables alone, so that the JSON schema can be held against them.
package struct KeyTable: Sendable {
    /// The keys, in the order in which the documentation names them.
    let keys: [Key]

    /// Makes a table of keys.
    init(_ keys: [Key]) {
        self.keys = keys
    }

    /// The key of that name, or `nil`.
    subscript(name: String) -> Key? {
        keys.first { $0.name == name }
    }
}

/// A key of the configuration.
package struct Key: Sendable {
    /// The key as the file writes it.
    package let name: String

    /// What its value looks like.
    package let form: ValueForm

    /// The value that stands for the key where it is absent, if there is one.
    let fallback: JSONValue?

    /// Whether the object makes no sense without the key.
    let isRequired: Bool

    /// Makes a key that may be absent.
    init(_ name: String, _ form: ValueForm, default fallback: JSONValue? = nil) {
        self.name = name
        self.form = form
        self.fallback = fallback
        isRequired = false
    }

    /// Makes a key that may not be absent.
    package init(required name: String, _ form: ValueForm) {
        self.name = name
        self.form = form
        fallback = nil
        isRequired = true
    }
}
