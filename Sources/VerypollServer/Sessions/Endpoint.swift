internal import SystemPackage
internal import Verypoll

/// One end of a session: a socket, and the state known from its events and system calls.
package struct Endpoint: ~Copyable {
    /// The known state of the socket.
    struct Flags: OptionSet {
        let rawValue: UInt16

        /// An event has reported input, and the socket has not been drained since.
        static let inputReady = Flags(rawValue: 1 << 0)
        /// The peer's end of file was read, or a read has failed.
        static let inputEnded = Flags(rawValue: 1 << 1)
        /// A write may succeed: no write has been short since an event reported room.
        static let outputReady = Flags(rawValue: 1 << 2)
        /// The direction to the peer was ended, or has failed.
        static let outputEnded = Flags(rawValue: 1 << 3)
        /// An event has reported the peer's end of file, so the end of file follows a short read.
        static let endIsBehind = Flags(rawValue: 1 << 4)
        /// Only a read that returns `nil` proves that the socket is drained, because a read may be
        /// short while there is more to read.
        static let isReadToNil = Flags(rawValue: 1 << 5)
        /// The connection has failed; only bytes that arrived before the failure are still
        /// delivered.
        static let failed = Flags(rawValue: 1 << 6)
        /// Nagle's algorithm is on: the kernel holds small writes back while earlier ones are
        /// unacknowledged.
        static let gathers = Flags(rawValue: 1 << 8)
        /// Bytes were sent.
        static let hasSent = Flags(rawValue: 1 << 9)
        /// Events report room to write.
        static let watchesOutput = Flags(rawValue: 1 << 10)
        /// Urgent data has arrived, and the endpoint is not spliced from any more; see `MSG_OOB` in
        /// tcp(7).
        static let isUrgent = Flags(rawValue: 1 << 11)
        /// An event has reported an error: the connection is dead, and only bytes that arrived
        /// before the error can still be read.
        static let isDead = Flags(rawValue: 1 << 12)
        /// The kernel copies spliced bytes as well, or cannot splice them: a vsock connection.
        static let isNeverSpliced = Flags(rawValue: 1 << 13)
    }

    var socket: SessionSocket
    var flags: Flags

    init(_ socket: consuming SessionSocket, flags: Flags = []) {
        self.flags = flags
        switch socket {
        case .tcp: self.flags.insert(.gathers)
        // A read stops at descriptors that the peer has passed, which a session ignores; see
        // unix(7).
        case .unix: self.flags.insert(.isReadToNil)
        case .vsock: self.flags.insert(.isNeverSpliced)
        case .none: self.flags.insert(.watchesOutput)  // There is nothing to watch.
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

    /// Whether a write was short and no event will report room, because room is not watched yet.
    var lacksOutputEvents: Bool {
        flags.isDisjoint(with: [.outputReady, .outputEnded, .watchesOutput])
    }

    /// Begins to watch for room to write; if there is room already, the next poll reports it.
    mutating func watchOutput(with registry: borrowing Registry, token: Token) throws(Errno) {
        try socket.watchOutput(with: registry, token: token)
        flags.insert(.watchesOutput)
    }

    /// Updates the state from an event.
    mutating func note(_ event: Event) {
        let isEnd = event.isReadClosed || event.isError
        if event.isReadable || isEnd { noteInput() }
        if event.isWritable || event.isError { flags.insert(.outputReady) }
        if event.isReadClosed { flags.insert(.endIsBehind) }
        // A read stops before urgent data, even if there are bytes after it; see MSG_OOB in tcp(7).
        // A read returns the error only after all bytes that arrived before it.
        if event.isPriority { flags.insert(.isUrgent) }
        if event.isPriority || event.isError { flags.insert(.isReadToNil) }
        guard event.isError else { return }
        flags.insert(.isDead)
        if flags.contains(.inputEnded) { flags.insert([.failed, .outputEnded]) }
    }

    /// Notes that there may be input.
    mutating func noteInput() {
        if !flags.contains(.inputEnded) { flags.insert(.inputReady) }
    }

    /// Reads once, appending to the buffer.
    ///
    /// A read that does not fill the room counts as having drained the socket (unless
    /// `isReadToNil`), so a caller that reads less on purpose must not use this function.
    ///
    /// - Returns: The number of bytes read; 0 if there are none yet, and at the end of file.
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
            // When the event reported the end of file, all bytes before it had arrived.
            if flags.contains(.endIsBehind) { endInput() } else { flags.remove(.inputReady) }
        }
        return count
    }

    /// Notes the end of file, which may hide an error that arrived after it.
    ///
    /// - Throws: `Errno.connectionReset` if an event has reported such an error.
    private mutating func finishInput() throws(Errno) {
        guard flags.contains(.isDead) else { return endInput() }
        failInput()
        throw .connectionReset
    }

    /// Writes bytes and returns the number written, which is smaller only if the kernel has no more
    /// room.
    ///
    /// If `isLast` is true, the kernel holds the bytes back to send them in one packet with the end
    /// of file, which the caller must send at once.
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

    /// Disables Nagle's algorithm before the second write, so that no small write waits for an
    /// acknowledgment.
    ///
    /// The first write is sent at once in any case, so most short sessions save this system call.
    mutating func prepareToSend() throws(Errno) {
        if flags.isSuperset(of: [.gathers, .hasSent]) {
            flags.remove(.gathers)
            try socket.sendAtOnce()
        }
        flags.insert(.hasSent)
    }

    /// Sends the end of file to the peer.
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

    /// Notes that no more bytes can be read.
    mutating func endInput() {
        flags.remove(.inputReady)
        flags.insert(.inputEnded)
    }

    /// Notes that a read has failed, after all bytes that arrived before the error were read.
    mutating func failInput() {
        endInput()
        flags.insert([.failed, .outputEnded])
    }

    /// Notes that a write has failed; bytes that arrived before the error can still be read.
    mutating func failOutput() {
        flags.insert([.failed, .outputEnded, .isReadToNil])
        noteInput()
    }
}
