#if Net
public import SystemPackage

/// A non-blocking, close-on-exec socket of any kind, closed when it goes out of scope.
public protocol Socket: DescriptorSource, Sendable, ~Copyable {}

extension Socket where Self: ~Copyable {
    /// Takes the pending error off the socket, or returns `nil` if there is none; `SO_ERROR`.
    public func takeError() throws(Errno) -> Errno? {
        try fileDescriptor.takeError()
    }

    /// The room for what has come and was not read, in bytes; `SO_RCVBUF`.
    public func receiveBufferSize() throws(Errno) -> Int {
        Int(try fileDescriptor.value(of: .receiveBuffer))
    }

    /// Asks for room for what has come and was not read.
    ///
    /// The kernel doubles the number for its own needs, and caps it at `net.core.rmem_max`. For
    /// TCP it ends the tuning that the kernel does by itself; see socket(7).
    public func setReceiveBufferSize(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.receiveBuffer, to: CInt(clamping: byteCount))
    }

    /// The room for what was written and not sent or acknowledged, in bytes; `SO_SNDBUF`.
    public func sendBufferSize() throws(Errno) -> Int {
        Int(try fileDescriptor.value(of: .sendBuffer))
    }

    /// Asks for room for what was written; doubled and capped as in
    /// ``setReceiveBufferSize(_:)``, at `net.core.wmem_max`.
    public func setSendBufferSize(_ byteCount: Int) throws(Errno) {
        try fileDescriptor.set(.sendBuffer, to: CInt(clamping: byteCount))
    }
}
#endif
