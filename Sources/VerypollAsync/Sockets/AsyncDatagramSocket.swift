public import SystemPackage
internal import Verypoll

/// A socket that delivers each message whole or not at all.
public protocol AsyncDatagramSocket: AsyncSource, ~Copyable {}

extension AsyncDatagramSocket where Self: ~Copyable {
    /// Receives the next datagram.
    ///
    /// - Parameters:
    ///   - buffer: The buffer to overwrite from the start. Bytes that exceed it are lost.
    ///   - deadline: When to stop waiting.
    /// - Returns: The length of the datagram as it was sent, which is more than was stored if the
    ///   datagram did not fit; 0 for an empty datagram.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, or `Errno.connectionRefused` if an
    ///   earlier send found no receiver at the connected address. See recv(2).
    public func receive(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.receiveDatagram(into: buffer, peeks: false, until: deadline)
    }

    /// Copies the next datagram like ``receive(into:until:)``, without consuming it.
    public func peek(
        into buffer: consuming MutableSpan<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) -> Int {
        try await handle.receiveDatagram(into: buffer, peeks: true, until: deadline)
    }

    /// Sends a datagram to the address that the socket is connected to.
    ///
    /// - Parameters:
    ///   - bytes: The whole datagram. An empty span sends an empty datagram.
    ///   - deadline: When to stop waiting for room.
    /// - Throws: `Errno.canceled`, `Errno.deadlineExceeded`, `Errno.addressRequired` or
    ///   `Errno.socketNotConnected` if the socket is not connected, `Errno.messageTooLong` if the
    ///   datagram is too large. See send(2).
    public func send(
        _ bytes: Span<UInt8>,
        until deadline: Deadline = .never
    ) async throws(Errno) {
        try await handle.sendDatagram(bytes, until: deadline)
    }
}

extension SourceHandle {
    fileprivate func receiveDatagram(
        into buffer: consuming MutableSpan<UInt8>,
        peeks: Bool,
        until deadline: Deadline
    ) async throws(Errno) -> Int {
        try await perform(.read, until: deadline) { () throws(Errno) in
            try descriptor.receiveDatagram(into: &buffer, peeks: peeks)
        }
    }

    fileprivate func sendDatagram(
        _ bytes: Span<UInt8>,
        until deadline: Deadline
    ) async throws(Errno) {
        _ = try await perform(.write, until: deadline) { () throws(Errno) in
            try descriptor.send(bytes)
        }
    }
}
