internal import SystemPackage

/// One way of a session, from one of its ends to the other.
///
/// It begins by copying through the worker's scratch buffer, which is best for short messages. Once
/// that was full several times running, bytes pass through a pipe of the kernel instead, which is
/// best for bulk; and when little comes at a time, it goes back to copying.
struct Channel: ~Copyable {
    /// How a turn of pumping ended.
    enum Flow: UInt8, Comparable {
        /// Nothing is left to do until the next event.
        case idle
        /// The turn is over, and there is more to read.
        case again
        /// It needs a buffer, and there is none.
        case starved

        static func < (left: Flow, right: Flow) -> Bool { left.rawValue < right.rawValue }
    }

    /// Full buffers in a row after which bytes are spliced.
    private static let fullReads: UInt8 = 2

    /// Splices in a row that moved less than ``littleByteCount`` after which bytes are copied.
    private static let smallSplices: UInt8 = 8
    private static let littleByteCount = 16 * 1024

    /// The bytes that were taken from the one end.
    var taken: UInt64 = 0
    /// The bytes that were given to the other.
    var given: UInt64 = 0
    /// What the other end did not take yet.
    var parked: Buffer?
    /// The pipe with what the other end did not take yet.
    var splicePipe: SplicePipe?
    var isSpliced = false
    private var streak: UInt8 = 0

    /// Whether nothing waits to be given.
    var isEmpty: Bool { parked == nil && splicePipe == nil }

    /// The number of bytes that wait to be given.
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

    /// Moves what can be moved within a bounded number of system calls.
    ///
    /// What stands in the scratch buffer already goes first. Errors are of either end, whose flags
    /// tell.
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
                // Also where it fails: a way that keeps an empty pipe does not count as empty.
                defer { giveSplicePipe(in: &context) }
                try splice(from: &source, to: &sink)
            } else {
                guard context.pool.hasRoom else { return .starved }
                try copy(from: &source, to: &sink, in: &context)
            }
        }
        return source.flags.contains(.inputReady) && isEmpty ? .again : .idle
    }

    /// Gives what waits, and returns whether nothing is left of it.
    mutating func flush(to sink: inout Endpoint, in context: inout ServeContext) throws(Errno)
        -> Bool
    {
        if isEmpty { return true }
        guard sink.flags.contains(.outputReady) else { return false }
        if var buffer = parked.take() {
            do throws(Errno) {
                given += try UInt64(drain(&buffer, to: &sink))
            } catch {
                parked = consume buffer  // The pool counts it, and gets it back later.
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

    /// Gives back what it holds, and drops what is in there.
    mutating func discard(in context: inout ServeContext) {
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
            isSpliced = true
            streak = 0
        }
        let isLast = source.flags.contains(.inputEnded)
        try forwardScratch(to: &sink, isLast: isLast, in: &context)
    }

    /// Sends what the scratch buffer holds, and parks what is not taken.
    mutating func forwardScratch(
        to sink: inout Endpoint,
        isLast: Bool = false,
        in context: inout ServeContext
    ) throws(Errno) {
        guard context.scratch.count > 0 else { return }
        do throws(Errno) {
            given += try UInt64(drain(&context.scratch, to: &sink, isLast: isLast))
        } catch {
            park(in: &context)  // A connection that was not made yet may get it by the next.
            throw error
        }
        if context.scratch.count > 0 { park(in: &context) }
    }

    /// Keeps what the scratch buffer holds; ask for room in the pool before.
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
            // Before urgent data, with the end behind it, there is nothing to splice either, so it
            // is for a read to tell if this is the end.
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
