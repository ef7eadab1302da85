public import SystemPackage

/// Something that a ``Registry`` can watch.
///
/// Call ``Registry/register(_:token:interest:mode:)`` rather than these methods. A type that wraps
/// a source conforms by forwarding all three to it.
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

/// A source that is one file descriptor.
///
/// What the library has no call for belongs in ``withDescriptor(_:)``: with the trait
/// `PollSelector`, edges are known by what the calls on a descriptor have found. If others make
/// calls on it, forward to a `SourceFD`.
public protocol DescriptorSource: Source, ~Copyable {
    /// The descriptor to watch; it stays open and the same for the value's whole life.
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
    /// Lends the descriptor to a call that this library lacks.
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
    /// print(received == nil)  // Nothing is there yet.
    /// ```
    ///
    /// - Parameter body: The call, which must not close the descriptor.
    /// - Returns: What `body` returns, or `nil` if it throws `Errno.wouldBlock`: so the library's
    ///   own calls say it, and so a poll knows that the source is drained.
    /// - Throws: What `body` throws otherwise.
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
