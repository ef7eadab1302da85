internal import SystemPackage
internal import Verypoll

extension UpstreamRefusal {
    /// Classifies the end of a session; `nil` if it is not the refusal of an upstream.
    ///
    /// - Parameters:
    ///   - reason: The reason of the end.
    ///   - isSearching: Whether the session still looked for a server.
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
