public import SystemPackage
internal import Verypoll

/// A buffer of the executor that a read lends.
///
/// Noncopyable, so that nothing counts references to it.
@usableFromInline
struct LentBytes: ~Copyable {
    @usableFromInline let buffer: [UInt8]
    @usableFromInline let count: Int

    fileprivate init(buffer: consuming [UInt8], count: Int) {
        self.buffer = buffer
        self.count = count
    }

    @inlinable @inline(__always)
    func use<Value>(_ body: (Span<UInt8>) throws(Errno) -> Value) throws(Errno) -> Value {
        try body(buffer.span.extracting(first: count))
    }
}

extension SourceHandle {
    // MARK: Reads that do not wait; `nil` if the source is not ready

    @usableFromInline
    func tryToRead(
        into buffer: inout MutableSpan<UInt8>,
        _ attempt: inout Attempt
    ) throws(Errno) -> Int? {
        let count =
            try kind == .pipe
            ? descriptor.readAvailable(into: &buffer) : descriptor.receive(into: &buffer)
        noteRead(count, of: buffer.count, &attempt)
        return count
    }

    @usableFromInline
    func tryToRead(
        appendingTo buffer: inout OutputSpan<UInt8>,
        _ attempt: inout Attempt
    ) throws(Errno) -> Int? {
        let room = buffer.freeCapacity
        let count =
            try kind == .pipe
            ? descriptor.readAvailable(into: &buffer) : descriptor.receive(into: &buffer)
        noteRead(count, of: room, &attempt)
        return count
    }

    @usableFromInline
    func tryToRead(
        appendingTo buffer: inout [UInt8],
        atMost limit: Int,
        _ attempt: inout Attempt
    ) throws(Errno) -> Int? {
        var count: Int?
        try buffer.append(addingCapacity: limit) { span throws(Errno) in
            count = try tryToRead(appendingTo: &span, &attempt)
        }
        return count
    }

    /// Reads into the executor's own buffer, and lends it to the caller, who returns it with
    /// `giveBack`.
    @usableFromInline
    func tryToRead(_ attempt: inout Attempt) throws(Errno) -> LentBytes? {
        var buffer: [UInt8] = []
        if isCurrent { swap(&buffer, &core.value.scratch) }
        // Another thread does not use the executor's buffer, and a task may have kept it while it
        // changed threads.
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: 16_384) }
        do throws(Errno) {
            var span = buffer.mutableSpan
            if let count = try tryToRead(into: &span, &attempt) {
                return LentBytes(buffer: buffer, count: count)
            }
        } catch {
            giveBack(LentBytes(buffer: buffer, count: 0))
            throw error
        }
        giveBack(LentBytes(buffer: buffer, count: 0))
        return nil
    }

    @usableFromInline
    func giveBack(_ bytes: consuming LentBytes) {
        if isCurrent { core.value.scratch = bytes.buffer }
    }

    @inline(__always)
    private func noteRead(_ count: Int?, of room: Int, _ attempt: inout Attempt) {
        if let count {
            finishRead(count, of: room, attempt)
        } else {
            block(.read, &attempt)
        }
    }

    // MARK: Writes

    /// Writes as many of the bytes as the kernel accepts at once.
    ///
    /// If the task may have to wait, or to let others run, it writes none.
    ///
    /// Not async, so that the common case of a write sets up no async call.
    @usableFromInline
    func writeAtOnce(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        var attempt = Attempt()
        guard !bytes.isEmpty, case .call = step(.write, &attempt) else { return 0 }
        if let count = try send(bytes) { return count }
        block(.write, &attempt)
        return 0
    }

    @inline(__always)
    private func send(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try kind == .pipe
            ? descriptor.writeAvailable(bytes, Span(), Span(), Span()) : descriptor.send(bytes)
    }

    @usableFromInline
    func write(
        _ bytes: Span<UInt8>,
        until deadline: Deadline
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.write, &attempt, until: deadline)
            if let count = try send(bytes) { return count }
            block(.write, &attempt)
        }
    }

    @usableFromInline
    func write(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>,
        until deadline: Deadline
    ) async throws(Errno) -> Int {
        var attempt = Attempt()
        while true {
            try await begin(.write, &attempt, until: deadline)
            let count =
                try kind == .pipe
                ? descriptor.writeAvailable(first, second, third, fourth)
                : descriptor.send(first, second, third, fourth)
            if let count { return count }
            block(.write, &attempt)
        }
    }

    @usableFromInline
    func writeAll(
        _ bytes: Span<UInt8>,
        until deadline: Deadline
    ) async throws(Errno) {
        var sent = 0
        while sent < bytes.count {
            sent += try await write(bytes.extracting(sent..<bytes.count), until: deadline)
        }
    }

    @usableFromInline
    func writeAll(
        _ first: Span<UInt8>,
        _ second: Span<UInt8>,
        _ third: Span<UInt8>,
        _ fourth: Span<UInt8>,
        until deadline: Deadline
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
