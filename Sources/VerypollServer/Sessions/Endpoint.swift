internal import SystemPackage
internal import Verypoll

/// One of the two ends of a session: a socket, and what its events and calls have told of it.
package struct Endpoint: ~Copyable {
    /// What is known of the socket.
    struct Flags: OptionSet {
        let rawValue: UInt16

        /// An event told that there is something to read, and it was not drained since.
        static let inputReady = Flags(rawValue: 1 << 0)
        /// The peer's end of file was read, or an error took its place.
        static let inputEnded = Flags(rawValue: 1 << 1)
        /// A write may be taken: none has come short since an event told so.
        static let outputReady = Flags(rawValue: 1 << 2)
        /// The way to the peer was ended.
        static let outputEnded = Flags(rawValue: 1 << 3)
        /// The peer has ended its way, so what a short read leaves is the end of file.
        static let endIsBehind = Flags(rawValue: 1 << 4)
        /// Only `nil` stands for drained, as a read may come short for reasons of its own.
        static let isReadToNil = Flags(rawValue: 1 << 5)
        /// A call has failed, and the connection is of no more use but for what came before.
        static let failed = Flags(rawValue: 1 << 6)
        /// The kernel gathers small writes while earlier ones are under way.
        static let gathers = Flags(rawValue: 1 << 8)
        /// Something was sent.
        static let hasSent = Flags(rawValue: 1 << 9)
        /// Events tell when there is room to write again.
        static let watchesOutput = Flags(rawValue: 1 << 10)
        /// Urgent data has come, at which splicing stops for good; see `MSG_OOB` in tcp(7).
        static let isUrgent = Flags(rawValue: 1 << 11)
        /// An event has reported an error: the connection is dead, and only bytes that came before
        /// the error can still be read.
        static let isDead = Flags(rawValue: 1 << 12)
    }

    var socket: SessionSocket
    var flags: Flags

    init(_ socket: consuming SessionSocket, flags: Flags = []) {
        self.flags = flags
        switch socket {
        case .tcp: self.flags.insert(.gathers)
        // A read ends at descriptors that the peer has passed, which are none of our business; see
        // unix(7).
        case .unix: self.flags.insert(.isReadToNil)
        case .none: self.flags.insert(.watchesOutput)  // As there is nothing to watch.
        }
        self.socket = socket
    }

    /// Begins to watch the socket.
    mutating func register(
        with registry: borrowing Registry,
        token: Token,
        forOutput: Bool
    ) throws(Errno) {
        try socket.register(with: registry, token: token, forOutput: forOutput)
        if forOutput { flags.insert(.watchesOutput) }
    }

    /// Whether a write came short, and no event would tell when there is room again.
    var lacksOutputEvents: Bool {
        flags.isDisjoint(with: [.outputReady, .outputEnded, .watchesOutput])
    }

    /// Watches for room to write, of which the next event tells even if it is there by then.
    mutating func watchOutput(with registry: borrowing Registry, token: Token) throws(Errno) {
        try socket.watchOutput(with: registry, token: token)
        flags.insert(.watchesOutput)
    }

    /// Notes what an event tells.
    mutating func note(_ event: Event) {
        let isEnd = event.isReadClosed || event.isError
        if event.isReadable || isEnd { noteInput() }
        if event.isWritable || event.isError { flags.insert(.outputReady) }
        if event.isReadClosed { flags.insert(.endIsBehind) }
        // A read stops short of urgent data, whatever is behind it; see MSG_OOB in tcp(7). And an
        // error is told only where all that came before it was read.
        if event.isPriority { flags.insert(.isUrgent) }
        if event.isPriority || event.isError { flags.insert(.isReadToNil) }
        guard event.isError else { return }
        flags.insert(.isDead)
        if flags.contains(.inputEnded) { flags.insert([.failed, .outputEnded]) }
    }

    /// Notes that something may have come.
    mutating func noteInput() {
        if !flags.contains(.inputEnded) { flags.insert(.inputReady) }
    }

    /// Reads once behind what the buffer holds, and notes if that has drained the socket.
    ///
    /// - Returns: How many bytes came; 0 also where none are there yet and at the end of file.
    mutating func receive(into buffer: inout Buffer) throws(Errno) -> Int {
        let room = buffer.room
        let count: Int?
        do throws(Errno) {
            count = try buffer.append { output throws(Errno) in try socket.read(into: &output) }
        } catch {
            failInput()
            throw error
        }
        guard let count else {
            flags.remove(.inputReady)
            return 0
        }
        if count == 0 {
            try finishInput()
        } else if count < room, !flags.contains(.isReadToNil) {
            // All that came before the end was there when the event told of the end.
            if flags.contains(.endIsBehind) { endInput() } else { flags.remove(.inputReady) }
        }
        return count
    }

    /// Notes the end of file, which hides an error that arrived behind it.
    ///
    /// - Throws: `Errno.connectionReset` if an event has reported such an error.
    private mutating func finishInput() throws(Errno) {
        guard flags.contains(.isDead) else { return endInput() }
        failInput()
        throw .connectionReset
    }

    /// Writes bytes; returns how many were taken, fewer only if there is no room for more.
    ///
    /// The last ones of a way go in one packet with its end, which the caller passes on at once.
    mutating func send(_ bytes: Span<UInt8>, isLast: Bool = false) throws(Errno) -> Int {
        do throws(Errno) {
            try prepareToSend()
            let count = try socket.write(bytes, isLast: isLast) ?? 0
            if count < bytes.count { flags.remove(.outputReady) }
            return count
        } catch {
            failOutput()
            throw error
        }
    }

    /// Sees to it that no second small write waits for the answer to the first.
    ///
    /// The first is sent at once in any case, so most short sessions save the call.
    mutating func prepareToSend() throws(Errno) {
        if flags.isSuperset(of: [.gathers, .hasSent]) {
            flags.remove(.gathers)
            try socket.sendAtOnce()
        }
        flags.insert(.hasSent)
    }

    /// Ends the way to the peer.
    mutating func endOutput() throws(Errno) {
        flags.remove(.outputReady)
        flags.insert(.outputEnded)
        do throws(Errno) {
            try socket.shutdownWriting()
        } catch {
            failOutput()
            throw error
        }
    }

    /// Notes that nothing more will come.
    mutating func endInput() {
        flags.remove(.inputReady)
        flags.insert(.inputEnded)
    }

    /// Notes that a read has failed, before which everything else was read.
    mutating func failInput() {
        endInput()
        flags.insert([.failed, .outputEnded])
    }

    /// Notes that a write has failed; what came before the error is still there to be read.
    mutating func failOutput() {
        flags.insert([.failed, .outputEnded, .isReadToNil])
        noteInput()
    }
}
