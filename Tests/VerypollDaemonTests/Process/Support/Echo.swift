internal import TestSupport
internal import Testing

/// Sends a text to an echo service, and expects it back.
func expectEcho(
    _ text: String = "echo",
    from client: borrowing Client,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try client.send(text)
    let echo = try client.receive(exactly: text.utf8.count)
    #expect(echo == Array(text.utf8), sourceLocation: sourceLocation)
}
