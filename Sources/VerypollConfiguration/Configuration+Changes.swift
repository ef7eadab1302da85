internal import StrictJSON
package import VerypollControl

extension Configuration {
    /// Returns the differences between this configuration and `other`, in the order of the
    /// pointers.
    ///
    /// A listener, an upstream or a list that is added or removed is one change. A list that
    /// differs in an element is one change too.
    package func changes(to other: Configuration) -> [ConfigurationChange] {
        differences(between: .object(effective), and: .object(other.effective), at: .root)
    }
}

private func differences(
    between before: JSONValue?,
    and after: JSONValue?,
    at pointer: JSONPointer
) -> [ConfigurationChange] {
    if before == after { return [] }
    if let before = before?.object?.values, let after = after?.object?.values {
        return Set(before.keys).union(after.keys).sorted().flatMap { key in
            differences(between: before[key], and: after[key], at: pointer / key)
        }
    }
    let kind: ConfigurationChange.Kind =
        if before == nil { .added } else if after == nil { .removed } else { .changed }
    return [
        ConfigurationChange(
            pointer: pointer.description,
            kind: kind,
            before: before?.text,
            after: after?.text
        )
    ]
}
