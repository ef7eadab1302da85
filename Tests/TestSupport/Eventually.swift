/// A condition that did not come true in time.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(waitingFor what: String, detail: String = "") {
        description = "timed out waiting for \(what)" + (detail.isEmpty ? "" : "\n\(detail)")
    }
}

/// How long a test waits for something that will happen, unless it says otherwise.
///
/// Long enough for a loaded machine under a sanitizer; nobody waits for it in a passing test.
package let patience = Duration.seconds(30)

/// Blocks until `condition` holds, asking again every few milliseconds.
///
/// - Parameters:
///   - what: What is waited for, as a phrase for the error.
///   - limit: How long to ask; the condition is asked once more at the end.
///   - condition: What shall become true.
/// - Throws: ``TimedOut``, or what the condition throws.
package func eventually(
    _ what: String,
    within limit: Duration = patience,
    _ condition: () throws -> Bool
) throws {
    _ = try eventually(what, within: limit) { try condition() ? true : nil }
}

/// Blocks until `value` is not nil, and returns it.
///
/// - Parameters:
///   - what: What is waited for, as a phrase for the error.
///   - limit: How long to ask; the value is asked for once more at the end.
///   - value: What shall come to be.
/// - Returns: The first value that was not nil.
/// - Throws: ``TimedOut``, or what the closure throws.
package func eventually<Value>(
    _ what: String,
    within limit: Duration = patience,
    _ value: () throws -> Value?
) throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        let isLate = ContinuousClock.now >= deadline
        if let value = try value() { return value }
        if isLate { throw TimedOut(waitingFor: what) }
        pause(milliseconds: 5)
    }
}
