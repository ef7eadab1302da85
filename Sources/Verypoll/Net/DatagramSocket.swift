#if Net
public import SystemPackage

/// A socket that delivers each message whole or not at all: ``UDPSocket``, ``UnixDatagram``.
public protocol DatagramSocket: Socket, ~Copyable {}

extension DatagramSocket where Self: ~Copyable {
    /// Receives the next datagram.
    ///
    /// - Parameter buffer: The buffer to append to. Bytes that exceed its free capacity are lost;
    ///   without free capacity, the whole datagram is lost.
    /// - Returns: The length of the datagram as it was sent, which is more than was stored if the
    ///   datagram did not fit; 0 for an empty datagram; `nil` if none is available yet.
    /// - Throws: `Errno.connectionRefused` if an earlier send found no receiver at the connected
    ///   address. See recv(2).
    public func receive(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: false)
    }

    /// Receives the next datagram into `buffer`, overwriting it from the start.
    ///
    /// ```swift
    /// let pair = try UnixDatagram.pair()
    /// var buffer = [UInt8](repeating: 0, count: 65_536)
    /// while let byteCount = try pair.first.receive(into: buffer.mutableSpan) {
    ///     let stored = buffer.span.extracting(first: min(byteCount, buffer.count))
    ///     _ = try pair.first.send(stored)
    /// }
    /// ```
    ///
    /// - Parameter buffer: The buffer to overwrite. Bytes that exceed its length are lost; if it is
    ///   empty, the whole datagram is lost.
    /// - Returns: Same as `receive(into:)` with an output span.
    /// - Throws: Same as `receive(into:)` with an output span. See recv(2).
    public func receive(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: false)
    }

    /// Appends the next datagram to `buffer` like `receive(into:)`, without consuming it.
    public func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: true)
    }

    /// Copies the next datagram over the start of `buffer` like `receive(into:)`, without consuming
    /// it.
    public func peek(into buffer: consuming MutableSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: true)
    }

    /// Sends a datagram to the address that the socket is connected to.
    ///
    /// - Parameter bytes: The whole datagram. An empty span sends an empty datagram.
    /// - Returns: The number of bytes sent, which is always all, or `nil` if there is no room yet.
    /// - Throws: `Errno.addressRequired` or `Errno.socketNotConnected` if the socket is not
    ///   connected, `Errno.messageTooLong` if the datagram is too large. See send(2).
    public func send(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes)
    }
}
#endif
