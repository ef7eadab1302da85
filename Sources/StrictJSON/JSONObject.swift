/// The members of a JSON object, in the order of the document.
package struct JSONObject: Sendable {
    /// A key, its place, and its value.
    package struct Member: Sendable {
        package let key: String
        /// The place of the key; `nil` outside a document.
        package let position: SourcePosition?
        package let value: JSONValue
    }

    /// The members, no key twice.
    package private(set) var members: [Member] = []
    private var indices: [String: Int] = [:]

    /// Makes an object without members.
    package init() {}

    /// Makes an object of members, which get the order of their keys.
    package init(_ members: [String: JSONValue]) {
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            _ = add(Member(key: key, position: nil, value: value))
        }
    }

    /// Adds a member unless there is one of its key.
    ///
    /// - Returns: The member that has the key already, else `nil`.
    mutating func add(_ member: Member) -> Member? {
        if let index = indices[member.key] { return members[index] }
        indices[member.key] = members.count
        members.append(member)
        return nil
    }

    /// The member of that key, or `nil`.
    package subscript(key: String) -> Member? {
        indices[key].map { members[$0] }
    }

    /// The values by their keys, without their order.
    package var values: [String: JSONValue] {
        indices.mapValues { members[$0].value }
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count
            && left.members.allSatisfy { right[$0.key]?.value == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(values)
    }
}
