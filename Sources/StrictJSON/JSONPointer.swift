/// The path from the root of a JSON document to one of its values; see RFC 6901.
package struct JSONPointer: Hashable, Sendable {
    /// The keys and, for arrays, the indices of the path.
    package private(set) var tokens: [String]

    /// The pointer to the document's root.
    package static let root = JSONPointer([])

    /// Creates a pointer from the keys and indices of its path.
    package init(_ tokens: [String]) {
        self.tokens = tokens
    }

    /// Returns the pointer to a member or an element of the value at `pointer`.
    package static func / (pointer: JSONPointer, token: String) -> JSONPointer {
        JSONPointer(pointer.tokens + [token])
    }

    /// Returns the pointer to an element of the array at `pointer`.
    package static func / (pointer: JSONPointer, index: Int) -> JSONPointer {
        pointer / String(index)
    }

    /// Appends a key or an index.
    package mutating func append(_ token: String) {
        tokens.append(token)
    }

    /// Removes the last key or index.
    package mutating func removeLast() {
        tokens.removeLast()
    }
}

extension JSONPointer: CustomStringConvertible {
    /// The text form, such as `/listeners/web`; empty for the root.
    ///
    /// In a key, `~` is written `~0` and `/` is written `~1`.
    package var description: String {
        tokens.map { token in
            "/" + token.replacing("~", with: "~0").replacing("/", with: "~1")
        }.joined()
    }
}
