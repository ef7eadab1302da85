internal import StrictJSON
internal import SystemPackage
internal import Verypoll

/// The addresses of the listeners and of the control socket.
///
/// No two addresses may overlap.
package struct AddressClaims {
    private let problems: ProblemList
    private var owners: [Claim: JSONPointer] = [:]

    /// Addresses that a socket occupies.
    private enum Claim: Hashable {
        case unix(UnixAddress)
        case systemd(String)
        /// One address and port.
        case one(SocketAddress)
        /// At least one address of the protocol at the port; conflicts with a socket on all
        /// addresses.
        case some(IPAddress.Family, UInt16)
        /// All addresses of the protocol at the port; conflicts with a socket on any of them.
        case all(IPAddress.Family, UInt16)
    }

    /// Makes an empty set.
    init(problems: ProblemList) {
        self.problems = problems
    }

    /// Adds an address, and reports an overlap with an address that was added before.
    mutating func claim(
        _ address: ListenAddress,
        onlyV6: Bool = false,
        for pointer: JSONPointer
    ) {
        let needs: [(conflict: Claim, own: [Claim])]
        switch address {
        case .unix(.path(let path)):
            let claim = Claim.unix(.path(path.lexicallyNormalized()))
            needs = [(claim, [claim])]
        case .unix(let other): needs = [(.unix(other), [.unix(other)])]
        case .systemd(let name): needs = [(.systemd(name), [.systemd(name)])]
        case .ip(let socket): needs = Self.needs(of: socket, onlyV6: onlyV6)
        }
        let owner = needs.compactMap { owners[$0.conflict] }.first
        if let owner {
            problems.report(
                pointer,
                "\(address) overlaps with \(owner); use another address, or remove one of them"
            )
        }
        for claim in needs.flatMap(\.own) where owners[claim] == nil { owners[claim] = pointer }
    }

    /// Returns the claims that conflict with an IP socket, and the socket's own claims.
    private static func needs(
        of socket: SocketAddress,
        onlyV6: Bool
    ) -> [(conflict: Claim, own: [Claim])] {
        guard socket.port != 0 else { return [] }  // The kernel chooses a free port.
        let ip = socket.ip.unmapped
        let port = socket.port
        if ip.isUnspecified {
            let families: [IPAddress.Family] =
                ip.family == .v6 && !onlyV6 ? [.v6, .v4] : [ip.family]
            return families.map { family in
                (.some(family, port), [.some(family, port), .all(family, port)])
            }
        }
        let one = Claim.one(SocketAddress(ip, port: port, zone: socket.zone))
        return [(one, [one]), (.all(ip.family, port), [.some(ip.family, port)])]
    }
}
