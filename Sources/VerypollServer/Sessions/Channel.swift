internal import SystemPackage

/// One direction of a session, from one of its ends to the other.
///
/// A channel begins by copying bytes through the worker's scratch buffer, which is best for short
/// messages. After several full reads in a row, it splices bytes through a kernel pipe, which is
/// best for bulk. After several small splices in a row, it copies again.
struct Channel: ~Copyable {
    /// The result of a call of ``pump(from:to:in:)``, ordered by urgency, so that `max` joins the
    /// results of two directions.
    enum Flow: UInt8, Comparable {
        /// Nothing is left to do before the next event.
        case idle
        /// The calls of this turn are used up, and there is more to read.
        case again
        /// The channel needs a buffer, and the pool has none.
        case starved

        static func < (left: Flow, right: Flow) -> Bool { left.rawValue < right.rawValue }
    }

    /// The number of full reads in a row after which the channel splices.
    private static let fullReads: UInt8 = 2

    /// The number of splices in a row with fewer than ``littleByteCount`` bytes after which it
    /// copies.
    private static let smallSplices: UInt8 = 8
    private static let littleByteCount = 16 * 1024

    /// The bytes read from the source.
    var taken: UInt64 = 0
    /// The bytes written to the sink.
    var given: UInt64 = 0
    /// The copied bytes that the sink has not accepted yet.
    var parked: Buffer?
    /// The pipe, while it holds bytes that the sink has not accepted yet.
    var splicePipe: SplicePipe?
    var isSpliced = false
    private var streak: UInt8 = 0

    /// Whether no bytes wait for the sink.
    var isEmpty: Bool { parked == nil && splicePipe == nil }

    /// The number of bytes that wait for the sink.
    var bufferedByteCount: Int {
        let copied =
            switch parked {
            case .some(let buffer): buffer.count
            case .none: 0
            }
        return copied + splicedByteCount
    }

    private var splicedByteCount: Int {
        switch splicePipe {
        case .some(let splicePipe): splicePipe.count
        case .none: 0
        }
    }

    /// Moves as many bytes as possible within a bounded number of system calls.
    ///
    /// Bytes that are in the scratch buffer already are sent first. An error may come from either
    /// end; the flags of the endpoints show which one failed.
    mutating func pump(
        from source: inout Endpoint,
        to sink: inout Endpoint,
        in context: inout ServeContext
    ) throws(Errno) -> Flow {
        guard !sink.flags.contains(.failed) else { return .idle }
        guard try flush(to: &sink, in: &context) else { return .idle }
        for _ in 0..<ServeContext.callsPerTurn {
            let flags = source.flags
            guard flags.contains(.inputReady), sink.flags.contains(.outputReady) else {
                return .idle
            }
            if isSpliced, !flags.contains(.isUrgent), takeSplicePipe(in: &context) {
                // Return the pipe even after an error, because a channel with an empty pipe would
                // not count as empty.
                defer { giveSplicePipe(in: &context) }
                try splice(from: &source, to: &sink)
            } else {
                guard context.pool.hasRoom else { return .starved }
                try copy(from: &source, to: &sink, in: &context)
            }
        }
        return source.flags.contains(.inputReady) && isEmpty ? .again : .idle
    }

    /// Sends the bytes that wait; returns whether none are left.
    mutating func flush(to sink: inout Endpoint, in context: inout ServeContext) throws(Errno)
        -> Bool
    {
        if isEmpty { return true }
        guard sink.flags.contains(.outputReady) else { return false }
        if var buffer = parked.take() {
            do throws(Errno) {
                given += try UInt64(drain(&buffer, to: &sink))
            } catch {
                parked = consume buffer  // It is returned to the pool later.
                throw error
            }
            guard buffer.count == 0 else {
                parked = consume buffer
                return false
            }
            context.pool.give(buffer)
        }
        if splicePipe != nil {
            try drainSplicePipe(to: &sink)
            giveSplicePipe(in: &context)
        }
        return isEmpty
    }

    /// Returns the buffer and the pipe to their pools and drops the bytes in them.
    mutating func releaseBuffers(in context: inout ServeContext) {
        if let buffer = parked.take() { context.pool.give(buffer) }
        if let splicePipe = splicePipe.take() { context.splicePipes.give(splicePipe) }
    }

    // MARK: Copying

    private mutating func copy(
        from source: inout Endpoint,
        to sink: inout Endpoint,
        in context: inout ServeContext
    ) throws(Errno) {
        let count = try source.receive(into: &context.scratch)
        taken += UInt64(count)
        streak = context.scratch.room == 0 ? streak + 1 : 0
        if streak >= Self.fullReads {
            isSpliced = !source.flags.union(sink.flags).contains(.isNeverSpliced)
            streak = 0
        }
        let isLast = source.flags.contains(.inputEnded)
        try forwardScratch(to: &sink, isLast: isLast, in: &context)
    }

    /// Sends the bytes in the scratch buffer, and keeps those that the sink does not accept.
    mutating func forwardScratch(
        to sink: inout Endpoint,
        isLast: Bool = false,
        in context: inout ServeContext
    ) throws(Errno) {
        guard context.scratch.count > 0 else { return }
        do throws(Errno) {
            given += try UInt64(drain(&context.scratch, to: &sink, isLast: isLast))
        } catch {
            park(in: &context)  // The next server that is tried may get these bytes.
            throw error
        }
        if context.scratch.count > 0 { park(in: &context) }
    }

    /// Moves the bytes in the scratch buffer to a buffer of the pool, which must have room.
    private mutating func park(in context: inout ServeContext) {
        var buffer = context.pool.take()
        context.scratch.move(to: &buffer)
        parked = consume buffer
    }

    private func drain(
        _ buffer: inout Buffer,
        to sink: inout Endpoint,
        isLast: Bool = false
    ) throws(Errno) -> Int {
        try buffer.drain { bytes throws(Errno) in
            try sink.send(bytes, isLast: isLast)
        } ?? 0
    }

    // MARK: Splicing

    private mutating func takeSplicePipe(in context: inout ServeContext) -> Bool {
        if splicePipe == nil { splicePipe = context.splicePipes.take() }
        return splicePipe != nil
    }

    private mutating func giveSplicePipe(in context: inout ServeContext) {
        guard splicedByteCount == 0, let empty = splicePipe.take() else { return }
        context.splicePipes.give(empty)
    }

    private mutating func splice(
        from source: inout Endpoint,
        to sink: inout Endpoint
    ) throws(Errno) {
        do throws(Errno) {
            guard let count = try splicePipe?.fill(from: source.socket) else {
                source.flags.remove(.inputReady)
                return
            }
            taken += UInt64(count)
            streak = count < Self.littleByteCount ? streak + 1 : 0
            // With urgent data or the end of file next, splice(2) moves nothing. The next read
            // finds out which of the two it is.
            if count == 0 { streak = Self.smallSplices }
        } catch {
            source.failInput()
            throw error
        }
        if streak >= Self.smallSplices {
            isSpliced = false
            streak = 0
        }
        try drainSplicePipe(to: &sink)
    }

    private mutating func drainSplicePipe(to sink: inout Endpoint) throws(Errno) {
        do throws(Errno) {
            try sink.prepareToSend()
            given += try UInt64(splicePipe?.drain(to: sink.socket) ?? 0)
        } catch {
            sink.failOutput()
            throw error
        }
        if splicedByteCount > 0 { sink.flags.remove(.outputReady) }
    }
}
