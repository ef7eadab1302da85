/// The reason why a text is not a valid value.
package struct InvalidValue: Error, Equatable {
    /// The problem and its remedy, as the text that follows `FILE:LINE:COLUMN: POINTER: `.
    package let reason: String

    /// Makes the error from its reason.
    package init(_ reason: String) {
        self.reason = reason
    }
}
