internal import SystemPackage
internal import Verypoll

extension UpstreamRefusal {
    /// Classifies the end of a session; returns `nil` if the upstream did not refuse the session.
    ///
    /// - Parameters:
    ///   - reason: The reason that the session ended.
    ///   - isSearching: Whether the session had no server yet.
    init?(_ reason: Session.EndReason, isSearching: Bool) {
        switch reason {
        case .noServer(.down): self = .down
        case .noServer(.unreachable(let error)):
            let isOurs = AcceptFailure(error) == .resources || error == .addressNotAvailable
            self = isOurs ? .resources : .unreachable
        case .noServer(.queueFull): self = .queueFull
        case .noServer(.queueTimeout): self = .queueTimeout
        case .timedOut where isSearching: self = .timedOut
        default: return nil
        }
    }
}
