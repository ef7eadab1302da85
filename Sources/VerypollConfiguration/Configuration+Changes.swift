internal import StrictJSON
package import VerypollControl

extension Configuration {
    /// What is different in another configuration, in the order of the pointers.
    ///
    /// Listeners and upstreams are added and removed as wholes, and lists change as wholes.
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
