internal import SystemPackage
internal import Verypoll

extension UpstreamRefusal {
    /// Classifies the end of a session; `nil` if it is not the refusal of an upstream.
    init?(_ reason: Session.EndReason, in phase: Route.Phase) {
        switch reason {
        case .noServer(.down): self = .down
        case .noServer(.unreachable(let error)):
            let isOurs = AcceptFailure(error) == .resources || error == .addressNotAvailable
            self = isOurs ? .resources : .unreachable
        case .noServer(.queueFull): self = .queueFull
        case .noServer(.queueTimeout): self = .queueTimeout
        case .timedOut where phase == .held || phase == .connecting: self = .timedOut
        default: return nil
        }
    }
}
