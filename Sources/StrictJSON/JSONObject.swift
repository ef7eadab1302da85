/// The members of a JSON object, in the order of the document.
package struct JSONObject: Sendable {
    /// A key, its position and its value.
    package struct Member: Sendable {
        package let key: String
        /// The position of the key in its document; `nil` if the member was created by code.
        package let position: SourcePosition?
        package let value: JSONValue

        /// Creates a member.
        package init(key: String, position: SourcePosition?, value: JSONValue) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    /// The members, with unique keys.
    package private(set) var members: [Member] = []
    private var indices: [String: Int] = [:]

    /// Creates an object without members.
    package init() {}

    /// Creates an object from members, sorted by key.
    package init(_ members: [String: JSONValue]) {
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            _ = add(Member(key: key, position: nil, value: value))
        }
    }

    /// Creates an object from members with unique keys, in this order.
    package init(inOrder members: [(key: String, value: JSONValue)]) {
        for (key, value) in members { _ = add(Member(key: key, position: nil, value: value)) }
    }

    /// Creates an object with other values of the same keys.
    ///
    /// - Parameters:
    ///   - object: The object with the keys and their positions.
    ///   - values: The values, in the order of the members.
    package init(_ object: JSONObject, values: [JSONValue]) {
        indices = object.indices
        members = zip(object.members, values).map { member, value in
            Member(key: member.key, position: member.position, value: value)
        }
    }

    /// Adds a member unless its key exists.
    ///
    /// - Returns: The member that already has the key, or `nil`.
    package mutating func add(_ member: Member) -> Member? {
        if let index = indices[member.key] { return members[index] }
        indices[member.key] = members.count
        members.append(member)
        return nil
    }

    /// The member with a key, or `nil`.
    package subscript(key: String) -> Member? {
        indices[key].map { members[$0] }
    }

    /// The values by key, without their order.
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
