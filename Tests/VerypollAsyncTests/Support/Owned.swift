import VerypollAsync

/// Returns the work of a task that owns `writer`, which is closed when the task ends.
func writing(
    _ bytes: [UInt8],
    to writer: consuming some AsyncByteWriter & ~Copyable
) -> @Sendable () async throws -> Void {
    let owned = Shared(writer)
    return { try await owned.value.writeAll(bytes) }
}

/// Returns the work of a task that owns `reader`, which is closed when the task ends.
func readingToEnd(
    _ reader: consuming some AsyncByteReader & ~Copyable
) -> @Sendable () async throws -> [UInt8] {
    let owned = Shared(reader)
    return { try await owned.value.readToEnd() }
}
