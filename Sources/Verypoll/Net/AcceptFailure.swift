#if Net
public import SystemPackage

/// What an error of an accept is about, and so what to do; see accept(2).
///
/// ```swift
/// func acceptAll(from listener: borrowing TCPListener) throws {
///     while true {
///         do throws(Errno) {
///             guard let accepted = try listener.accept() else { return }
///             print("dropping \(accepted.peer)")
///         } catch {
///             switch AcceptFailure(error) {
///             case .connection: continue  // The next one may be fine.
///             case .resources: return  // Deregister, and register again after a pause.
///             case .listener: throw error
///             }
///         }
///     }
/// }
/// ```
public enum AcceptFailure: Hashable, Sendable {
    /// Of the one connection, which is gone: go on with the next.
    case connection

    /// Out of descriptors or memory: the connection waits on, and so must you. No new edge tells of
    /// it, and a level or exclusive registration tells of it without end.
    case resources

    /// Of the listener itself: a programmer's error, or the socket is no longer what it was.
    case listener

    /// Classifies an error that an accept has thrown.
    public init(_ error: Errno) {
        switch error {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory:
            self = .resources
        case .connectionAbort, .connectionReset, .protocolError, .notPermitted, .interrupted,
            .timedOut:
            self = .connection
        // Linux hands on the errors of the network that hit a connection in the backlog.
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
