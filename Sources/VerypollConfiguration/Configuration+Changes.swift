internal import StrictJSON
package import VerypollControl

extension Configuration {
    /// Returns the differences between this configuration and `other`, in the order of the
    /// pointers.
    ///
    /// A listener, an upstream or a list that is added or removed is one change. A list that
    /// differs in an element is one change too.
    package func changes(to other: Configuration) -> [ConfigurationChange] {
        let comparison = Comparison(before: .object(effective), after: .object(other.effective))
        return comparison.changes(
            between: .object(unconcealed),
            and: .object(other.unconcealed),
            at: .root
        )
    }
}

/// Compares two effective configurations.
private struct Comparison {
    /// The configurations as they are shown.
    let before: JSONValue
    let after: JSONValue

    /// Returns the changes between values that are not shown.
    func changes(
        between before: JSONValue?,
        and after: JSONValue?,
        at pointer: JSONPointer
    ) -> [ConfigurationChange] {
        if before == after { return [] }
        if let before = before?.object?.values, let after = after?.object?.values {
            return Set(before.keys).union(after.keys).sorted().flatMap { key in
                changes(between: before[key], and: after[key], at: pointer / key)
            }
        }
        let kind: ConfigurationChange.Kind =
            if before == nil { .added } else if after == nil { .removed } else { .changed }
        return [
            ConfigurationChange(
                pointer: pointer.description,
                kind: kind,
                before: before.map { _ in self.before.nearestValue(at: pointer).text },
                after: after.map { _ in self.after.nearestValue(at: pointer).text }
            )
        ]
    }
}
