public import SystemPackage

/// Something that a ``Registry`` can watch.
///
/// Call ``Registry/register(_:token:interest:mode:)`` rather than these methods. A type that wraps
/// a source conforms by forwarding all three methods to that source.
public protocol Source: ~Copyable {
    /// Called by ``Registry/register(_:token:interest:mode:)``.
    func register(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno)

    /// Called by ``Registry/reregister(_:token:interest:mode:)``.
    func reregister(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno)

    /// Called by ``Registry/deregister(_:)``.
    func deregister(from registry: borrowing Registry) throws(Errno)
}

/// A source with one file descriptor.
///
/// Use ``withDescriptor(_:)`` for system calls that the library lacks: with the trait
/// `PollSelector`, the library detects edges from the results of the calls on a descriptor. If
/// other code makes calls on the descriptor, forward to a `SourceFD`.
public protocol DescriptorSource: Source, ~Copyable {
    /// The descriptor to watch. It stays open and unchanged for the lifetime of the value.
    var fileDescriptor: FileDescriptor { get }
}

extension DescriptorSource where Self: ~Copyable {
    @inlinable
    public func register(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        let descriptor = fileDescriptor.rawValue
        try registry.add(descriptor, token: token, interest: interest, mode: mode)
    }

    @inlinable
    public func reregister(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        let descriptor = fileDescriptor.rawValue
        try registry.modify(descriptor, token: token, interest: interest, mode: mode)
    }

    @inlinable
    public func deregister(from registry: borrowing Registry) throws(Errno) {
        try registry.delete(fileDescriptor.rawValue)
    }
}

extension DescriptorSource where Self: ~Copyable {
    /// Unavailable: a value that owns its descriptor closes it at the end of its scope.
    ///
    /// To close it earlier, end the value: `_ = consume socket`, or remove the value from its
    /// storage.
    @available(
        *,
        unavailable,
        message: "it closes at the end of its scope; to close it earlier, `_ = consume socket`"
    )
    public func close() { fatalError("unavailable") }
}

extension DescriptorSource where Self: ~Copyable {
    /// Calls `body` with the descriptor, for system calls that this library lacks.
    ///
    /// ```swift
    /// import Glibc
    /// import SystemPackage
    /// import Verypoll
    ///
    /// let pair = try UnixStream.pair()
    /// let received = try pair.first.withDescriptor { descriptor throws(Errno) in
    ///     var byte: UInt8 = 0
    ///     let count = unsafe recv(descriptor.rawValue, &byte, 1, 0)
    ///     if count < 0 { throw Errno(rawValue: errno) }
    ///     return count
    /// }
    /// print(received == nil)  // Nothing has arrived yet.
    /// ```
    ///
    /// - Parameter body: The system call. It must not close the descriptor.
    /// - Returns: The result of `body`, or `nil` if `body` throws `Errno.wouldBlock`. As with the
    ///   library's own calls, `nil` means that the source is drained.
    /// - Throws: Any other error that `body` throws.
    public func withDescriptor<Value: ~Copyable>(
        _ body: (FileDescriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value? {
        do throws(Errno) {
            return try body(fileDescriptor)
        } catch .wouldBlock {
            SelectorNotice.readDrained(fileDescriptor.rawValue)
            SelectorNotice.writeDrained(fileDescriptor.rawValue)
            return nil
        } catch {
            SelectorNotice.callFailed(fileDescriptor.rawValue, error)
            throw error
        }
    }
}
