#if Net
public import SystemPackage

/// A socket that carries messages, each whole or not at all: ``UDPSocket``, ``UnixDatagram``.
public protocol DatagramSocket: Socket, ~Copyable {}

extension DatagramSocket where Self: ~Copyable {
    /// Takes the next datagram.
    ///
    /// - Parameter buffer: What it is appended to. What exceeds the free capacity is lost; without
    ///   any, the whole datagram is.
    /// - Returns: The length of the datagram as it was sent, more than was stored if it did not
    ///   fit; 0 for an empty datagram; `nil` if none is there yet.
    /// - Throws: `Errno.connectionRefused` if an earlier send to the connected peer found nobody.
    ///   See recv(2).
    public func receive(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: false)
    }

    /// Copies the next datagram as ``receive(into:)`` does, and leaves it to be received.
    public func peek(into buffer: inout OutputSpan<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.receiveDatagram(into: &buffer, peeks: true)
    }

    /// Sends a datagram to the address that the socket is connected to.
    ///
    /// - Parameter bytes: All of the datagram; none make an empty one.
    /// - Returns: The number of bytes sent, which is all, or `nil` if there is no room yet.
    /// - Throws: `Errno.addressRequired` or `Errno.socketNotConnected` if it is not
    ///   connected, `Errno.messageTooLong` over what fits a datagram. See send(2).
    public func send(_ bytes: Span<UInt8>) throws(Errno) -> Int? {
        try fileDescriptor.send(bytes)
    }
}
#endif
