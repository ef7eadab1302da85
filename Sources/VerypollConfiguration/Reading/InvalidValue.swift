/// Why a text does not stand for a value.
package struct InvalidValue: Error, Equatable {
    /// What is wrong and how to mend it, in the words that follow `FILE:LINE:COLUMN: POINTER: `.
    package let reason: String

    /// Makes the error from its reason.
    package init(_ reason: String) {
        self.reason = reason
    }
}
