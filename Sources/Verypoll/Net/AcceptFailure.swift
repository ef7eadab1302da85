#if Net
public import SystemPackage

/// The kind of an accept error, which decides how to handle it; see accept(2).
///
/// ```swift
/// func acceptAll(from listener: borrowing TCPListener) throws {
///     while true {
///         do throws(Errno) {
///             guard let accepted = try listener.accept() else { return }
///             print("dropping \(accepted.peer)")
///         } catch {
///             switch AcceptFailure(error) {
///             case .connection: continue  // The next connection may be fine.
///             case .resources: return  // Deregister, and register again after a pause.
///             case .listener: throw error
///             }
///         }
///     }
/// }
/// ```
public enum AcceptFailure: Hashable, Sendable {
    /// Only this connection failed, and it is gone.
    ///
    /// Accept the next one.
    case connection

    /// The process or the system is out of descriptors or memory.
    ///
    /// The connection stays in the backlog. No new edge reports it, and a level or exclusive
    /// registration reports it at every poll. Deregister the listener, and register it again after
    /// a pause.
    case resources

    /// The listener itself failed: a programming error, or the socket no longer listens.
    case listener

    /// Classifies an error that an accept threw.
    public init(_ error: Errno) {
        switch error {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory:
            self = .resources
        case .connectionAbort, .connectionReset, .protocolError, .notPermitted, .interrupted,
            .timedOut:
            self = .connection
        // Linux reports pending network errors of the new connection as errors of accept(2).
        case .networkDown, .networkUnreachable, .hostIsDown, .noRouteToHost, .notSupportedOnSocket,
            .protocolNotAvailable, .notOnNetwork:
            self = .connection
        default:
            self = .listener
        }
    }
}

extension Errno {
    /// `ENONET`, for which swift-system has no name.
    fileprivate static var notOnNetwork: Errno { Errno(rawValue: 64) }
}
#endif
