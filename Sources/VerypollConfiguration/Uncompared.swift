/// A value that takes no part in comparisons of what it belongs to.
///
/// Any two are equal, so that two configurations are equal if they mean the same, wherever in
/// their files they say it.
package struct Uncompared<Value: Sendable>: Equatable, Sendable {
    /// The value itself, to be compared by those who mean it.
    package var value: Value

    /// Wraps a value.
    package init(_ value: Value) {
        self.value = value
    }

    package static func == (left: Uncompared, right: Uncompared) -> Bool { true }
}
