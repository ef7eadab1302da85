/// The way from the root of a JSON document to one of its values, as RFC 6901 writes it.
package struct JSONPointer: Hashable, Sendable {
    /// The keys and, for arrays, the indices on the way.
    private(set) var tokens: [String]

    /// The pointer to the document's root.
    package static let root = JSONPointer([])

    /// Makes a pointer from the steps of its way.
    package init(_ tokens: [String]) {
        self.tokens = tokens
    }

    /// The pointer to a member or an element of what `pointer` points to.
    package static func / (pointer: JSONPointer, token: String) -> JSONPointer {
        JSONPointer(pointer.tokens + [token])
    }

    /// The pointer to an element of the array that `pointer` points to.
    package static func / (pointer: JSONPointer, index: Int) -> JSONPointer {
        pointer / String(index)
    }

    /// Goes one step further.
    package mutating func append(_ token: String) {
        tokens.append(token)
    }

    /// Goes one step back.
    mutating func removeLast() {
        tokens.removeLast()
    }
}

extension JSONPointer: CustomStringConvertible {
    /// `/listeners/web`, or nothing for the root; `~` is written `~0`, and `/` in a key `~1`.
    package var description: String {
        tokens.map { token in
            "/" + token.replacing("~", with: "~0").replacing("/", with: "~1")
        }.joined()
    }
}
