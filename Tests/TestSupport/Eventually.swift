/// A condition that did not become true in time.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(waitingFor what: String, detail: String = "") {
        description = "timed out waiting for \(what)" + (detail.isEmpty ? "" : "\n\(detail)")
    }
}

/// How long a test waits for something that must happen, unless it sets its own limit.
///
/// Long enough for a loaded machine under a sanitizer; a passing test never waits this long.
package let patience = Duration.seconds(30)

/// Blocks until `condition` is true, checking it every few milliseconds.
///
/// - Parameters:
///   - what: A noun phrase for the error: what the test waits for.
///   - limit: The longest wait; the condition is checked once more at the end.
///   - condition: The condition to wait for.
/// - Throws: ``TimedOut``, or the error of the condition.
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
///   - what: A noun phrase for the error: what the test waits for.
///   - limit: The longest wait; the value is read once more at the end.
///   - value: Returns the value, or nil if it is not available yet.
/// - Returns: The first value that was not nil.
/// - Throws: ``TimedOut``, or the error of the closure.
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
