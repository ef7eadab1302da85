internal import SystemPackage
internal import Verypoll

extension SourceHandle {
    func read(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.read, &attempt, until: deadline)
            let count =
                try slot.value.kind == .pipe
                ? descriptor.readAvailable(into: &buffer) : descriptor.receive(into: &buffer)
            if let count {
                finishRead(count, of: buffer.count, attempt)
                return count
            }
            block(.read, &attempt)
        }
    }

    func read(
        appendingTo buffer: inout OutputSpan<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.read, &attempt, until: deadline)
            let room = buffer.freeCapacity
            let count =
                try slot.value.kind == .pipe
                ? descriptor.readAvailable(into: &buffer) : descriptor.receive(into: &buffer)
            if let count {
                finishRead(count, of: room, attempt)
                return count
            }
            block(.read, &attempt)
        }
    }

    func read(
        appendingTo buffer: inout [UInt8],
        atMost limit: Int,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.read, &attempt, until: deadline)
            var count: Int?
            try buffer.append(addingCapacity: limit) { span throws(Errno) in
                count =
                    try slot.value.kind == .pipe
                    ? descriptor.readAvailable(into: &span) : descriptor.receive(into: &span)
            }
            if let count {
                finishRead(count, of: limit, attempt)
                return count
            }
            block(.read, &attempt)
        }
    }

    /// Reads into the executor's own buffer, and lends it to `body`.
    func withBytes<Value>(
        until deadline: ContinuousClock.Instant?,
        _ body: (Span<UInt8>) throws(Errno) -> Value
    ) async throws(Errno) -> Value {
        var attempt = Attempt()
        while true {
            try await begin(.read, &attempt, until: deadline)
            if let value = try lendBytes(attempt, body) { return value }
            block(.read, &attempt)
        }
    }

    @inline(__always)
    private func lendBytes<Value>(
        _ attempt: Attempt,
        _ body: (Span<UInt8>) throws(Errno) -> Value
    ) throws(Errno) -> Value? {
        if isCurrent { return try lend(&core.value.scratch, attempt, body) }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        return try lend(&buffer, attempt, body)
    }

    // A function of its own, because a span of a value that an accessor yields may not outlive the
    // access.
    @inline(__always)
    private func lend<Value>(
        _ buffer: inout [UInt8],
        _ attempt: Attempt,
        _ body: (Span<UInt8>) throws(Errno) -> Value
    ) throws(Errno) -> Value? {
        var span = buffer.mutableSpan
        let count =
            try slot.value.kind == .pipe
            ? descriptor.readAvailable(into: &span) : descriptor.receive(into: &span)
        guard let count else { return nil }
        finishRead(count, of: buffer.count, attempt)
        return try body(buffer.span.extracting(first: count))
    }

    func write(
        _ bytes: Span<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.write, &attempt, until: deadline)
            let count =
                try slot.value.kind == .pipe
                ? descriptor.writeAvailable(bytes, Span(), Span(), Span()) : descriptor.send(bytes)
            if let count { return count }
            block(.write, &attempt)
        }
    }

    func write(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.write, &attempt, until: deadline)
            let count =
                try slot.value.kind == .pipe
                ? descriptor.writeAvailable(first, second, third, fourth)
                : descriptor.send(first, second, third, fourth)
            if let count { return count }
            block(.write, &attempt)
        }
    }

    func writeAll(
        _ bytes: Span<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) {
        var sent = 0
        while sent < bytes.count {
            sent += try await write(bytes.extracting(sent..<bytes.count), until: deadline)
        }
    }

    func writeAll(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>,
        until deadline: ContinuousClock.Instant?
    ) async throws(Errno) {
        let total = first.count + second.count + third.count + fourth.count
        var sent = 0
        while sent < total {
            let ofFirst = min(sent, first.count)
            let ofSecond = min(sent - ofFirst, second.count)
            let ofThird = min(sent - ofFirst - ofSecond, third.count)
            let ofFourth = sent - ofFirst - ofSecond - ofThird
            sent += try await write(
                first.extracting(droppingFirst: ofFirst),
                second.extracting(droppingFirst: ofSecond),
                third.extracting(droppingFirst: ofThird),
                fourth.extracting(droppingFirst: ofFourth),
                until: deadline
            )
        }
    }
}
