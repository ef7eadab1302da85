import Foundation
import Testing

/// Runs code that must trap, in an exit test that expects a failure.
///
/// Exits successfully if the code returns or throws, so that an error is not mistaken for the trap.
func survives(_ body: () throws -> Void) {
    try? body()
    exit(EXIT_SUCCESS)
}

/// Expects the message of a trap in the output of an exit test.
///
/// Release builds omit the messages of preconditions.
func expectMessage(
    _ text: String,
    of result: ExitTest.Result?,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #if DEBUG
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), sourceLocation: sourceLocation)
    #endif
}
