/// An interface, parsed from its description.
package struct Interface: Hashable, Sendable {
    /// The name, such as `org.varlink.service`.
    package let name: String

    /// The names of its methods.
    package let methods: Set<String>

    /// The text in Varlink's interface language, with comments, as the service returns it.
    package let description: String

    /// Creates an interface with the names in its description.
    ///
    /// - Throws: ``InvalidDescription`` if the text does not name an interface.
    package init(description: String) throws(InvalidDescription) {
        var name: Substring?
        var methods: Set<String> = []
        for line in description.split(separator: "\n") {
            let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
            guard words.count == 2 else { continue }
            switch words[0] {
            case "interface": name = words[1].prefix { !$0.isWhitespace }
            case "method": methods.insert(String(words[1].prefix { $0.isLetter || $0.isNumber }))
            default: break
            }
        }
        guard let name else { throw InvalidDescription() }
        self.name = String(name)
        self.methods = methods
        self.description = description
    }

    /// The text is not a valid description of an interface.
    package struct InvalidDescription: Error {}
}
