/// A value that comparisons of its container ignore.
///
/// Any two are equal. So two configurations with the same meaning are equal, even if their settings
/// are at different positions in the files.
package struct Uncompared<Value: Sendable>: Equatable, Sendable {
    /// The value itself.
    package var value: Value

    /// Wraps a value.
    package init(_ value: Value) {
        self.value = value
    }

    package static func == (left: Uncompared, right: Uncompared) -> Bool { true }
}
