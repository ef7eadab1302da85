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
public protocol DescriptorSource: Source, ~Copyable {
    /// The descriptor to watch; it stays open and the same for the value's whole life.
    var fileDescriptor: FileDescriptor { get }
}

extension DescriptorSource where Self: ~Copyable {
    public func register(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        let descriptor = fileDescriptor.rawValue
        try registry.selector.add(descriptor, token: token, interest: interest, mode: mode)
    }

    public func reregister(
        with registry: borrowing Registry,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        let descriptor = fileDescriptor.rawValue
        try registry.selector.modify(descriptor, token: token, interest: interest, mode: mode)
    }

    public func deregister(from registry: borrowing Registry) throws(Errno) {
        try registry.selector.delete(fileDescriptor.rawValue)
    }
}
