#if Net
public import SystemPackage

/// A non-blocking, close-on-exec socket of any kind, closed when it goes out of scope.
public protocol Socket: DescriptorSource, Sendable, ~Copyable {}

extension Socket where Self: ~Copyable {
    /// Returns and clears the pending error of the socket, or returns `nil` if there is none;
    /// `SO_ERROR`.
    public func takeError() throws(Errno) -> Errno? {
        try fileDescriptor.takeError()
    }

    /// Returns the size of the receive buffer, in bytes; `SO_RCVBUF`.
    public func receiveBufferSize() throws(Errno) -> Int {
        Int(try fileDescriptor.value(of: .receiveBuffer))
    }

    /// Requests a size of the receive buffer, in bytes.
    ///
    /// The kernel caps the size at `net.core.rmem_max` and doubles it for its own bookkeeping. For
    /// TCP, this turns off the kernel's automatic tuning; see socket(7) and tcp(7).
    public func setReceiveBufferSize(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.receiveBuffer, to: CInt(clamping: byteCount))
    }

    /// Returns the size in bytes of the send buffer, which holds data until the peer acknowledges
    /// it; `SO_SNDBUF`.
    public func sendBufferSize() throws(Errno) -> Int {
        Int(try fileDescriptor.value(of: .sendBuffer))
    }

    /// Requests a size of the send buffer, in bytes.
    ///
    /// The kernel caps the size at `net.core.wmem_max` and doubles it, as for
    /// ``setReceiveBufferSize(_:)``.
    public func setSendBufferSize(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.sendBuffer, to: CInt(clamping: byteCount))
    }
}
#endif
