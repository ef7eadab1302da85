internal import Console
internal import StrictJSON
internal import VerypollControl

/// Returns the differences between two configurations, one changed key per line.
///
/// A listener or an upstream that is added or removed has a line for each key that is not at its
/// default. A list has a line for each element that is added or removed.
func changeLines(_ list: ChangeList, on terminal: Terminal) -> [DisplayText] {
    let omitted: [DisplayText] = list.omitted.map { ["and \($0) more"] } ?? []
    let lines = list.changes.flatMap(ChangedKey.keys(of:)).map { key in
        let (sign, style): (String, Style) =
            switch key.kind {
            case .added: ("+", .green)
            case .removed: ("-", .red)
            case .changed: ("~", .yellow)
            }
        let values = [key.before, key.after].compactMap(\.self).joined(separator: " → ")
        let line: DisplayText = "\(sign) \(key.pointer): \(values)"
        return terminal.styled(line, style)
    }
    return lines + omitted
}

/// A key of a configuration, or an element of a list, that differs.
private struct ChangedKey {
    let pointer: String
    let kind: ConfigurationChange.Kind
    var before: String?
    var after: String?

    /// Returns the keys and elements that a change is about.
    static func keys(of change: ConfigurationChange) -> [ChangedKey] {
        let pointer = tokens(of: change.pointer)
        let (before, after) = (value(change.before), value(change.after))
        switch (before, after) {
        case (nil, let value?): return leaves(of: value, at: pointer, .added)
        case (let value?, nil): return leaves(of: value, at: pointer, .removed)
        case (let before?, let after?):
            if let before = before.array, let after = after.array {
                let keys = differences(before, after, at: pointer)
                if !keys.isEmpty { return keys }
            }
            return [ChangedKey(before, after, at: pointer)]
        case (nil, nil):
            // A value that this version does not understand is printed as it is.
            return [
                ChangedKey(
                    pointer: change.pointer,
                    kind: change.kind,
                    before: change.before,
                    after: change.after
                )
            ]
        }
    }

    private init(
        pointer: String,
        kind: ConfigurationChange.Kind,
        before: String? = nil,
        after: String? = nil
    ) {
        self.pointer = pointer
        self.kind = kind
        self.before = before
        self.after = after
    }

    private init(_ before: JSONValue, _ after: JSONValue, at pointer: [String]) {
        self.init(
            pointer: JSONPointer(pointer).description,
            kind: .changed,
            before: before.text,
            after: after.text
        )
    }

    private init(_ value: JSONValue, at pointer: [String], _ kind: ConfigurationChange.Kind) {
        let text = value.text
        self.init(
            pointer: JSONPointer(pointer).description,
            kind: kind,
            before: kind == .removed ? text : nil,
            after: kind == .added ? text : nil
        )
    }

    /// Returns the keys of a value that is added or removed as a whole, without defaults.
    private static func leaves(
        of value: JSONValue,
        at pointer: [String],
        _ kind: ConfigurationChange.Kind
    ) -> [ChangedKey] {
        let stripped = ConfigurationDefaults.shared.strip(value, at: pointer)
        return members(of: stripped, at: pointer).map { ChangedKey($0.value, at: $0.pointer, kind) }
    }

    private static func members(
        of value: JSONValue,
        at pointer: [String]
    ) -> [(pointer: [String], value: JSONValue)] {
        guard let values = value.object?.values, !values.isEmpty else { return [(pointer, value)] }
        return values.sorted { $0.key < $1.key }.flatMap { key, value in
            members(of: value, at: pointer + [key])
        }
    }

    // MARK: Lists

    /// Returns the elements that differ; none if only their order or their number does.
    ///
    /// Objects with the same address, such as servers, are compared key by key.
    private static func differences(
        _ before: [JSONValue],
        _ after: [JSONValue],
        at pointer: [String]
    ) -> [ChangedKey] {
        let former = Dictionary(before.map { (identity(of: $0), $0) }) { first, _ in first }
        let present = Dictionary(after.map { (identity(of: $0), $0) }) { first, _ in first }
        var keys: [ChangedKey] = []
        for value in before where present[identity(of: value)] == nil {
            keys.append(element(value, at: pointer, .removed))
        }
        for value in after {
            guard let old = former[identity(of: value)] else {
                keys.append(element(value, at: pointer, .added))
                continue
            }
            guard let members = value.object?.values, let oldMembers = old.object?.values else {
                continue
            }
            let place = pointer + [identity(of: value)]
            for name in Set(members.keys).union(oldMembers.keys).sorted()
            where members[name] != oldMembers[name] {
                keys += self.keys(
                    of: ConfigurationChange(
                        pointer: JSONPointer(place + [name]).description,
                        kind: .changed,
                        before: oldMembers[name]?.text,
                        after: members[name]?.text
                    )
                )
            }
        }
        return keys
    }

    private static func element(
        _ value: JSONValue,
        at pointer: [String],
        _ kind: ConfigurationChange.Kind
    ) -> ChangedKey {
        let list = ConfigurationDefaults.shared.strip(.array([value]), at: pointer)
        return ChangedKey(list.array?.first ?? value, at: pointer, kind)
    }

    private static func identity(of value: JSONValue) -> String {
        value["address"]?.string ?? value.text
    }

    // MARK: Texts

    private static func value(_ text: String?) -> JSONValue? {
        text.flatMap { try? JSONDocument(parsing: Array($0.utf8)).root }
    }

    private static func tokens(of pointer: String) -> [String] {
        pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { token in
            String(token.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
    }
}

extension JSONValue {
    fileprivate subscript(name: String) -> JSONValue? { object?[name]?.value }
}
