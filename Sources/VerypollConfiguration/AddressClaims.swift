internal import Console
internal import StrictJSON
internal import SystemPackage
internal import Verypoll

/// The addresses of the listeners and of the control socket.
///
/// No two addresses may overlap.
package struct AddressClaims {
    private let problems: ProblemList
    private var owners: [Claim: Owner] = [:]

    /// The owner of a claimed address.
    private struct Owner {
        let address: ListenAddress
        /// The name of the listener, or `nil` for the control socket.
        let listener: String?
        let onlyV6: Bool
        let pointer: JSONPointer

        /// The address and its listener.
        var description: String {
            guard let listener else { return "the control socket \(address)" }
            return "\(address) of the listener \(listener.quoted)"
        }

        /// Whether the address is `[::]`, and its socket accepts IPv4 too.
        var acceptsV4AsWell: Bool {
            guard case .ip(let socket) = address else { return false }
            return socket.ip.isUnspecified && socket.ip.family == .v6 && !onlyV6
        }

        var isV4: Bool {
            guard case .ip(let socket) = address else { return false }
            return socket.ip.unmapped.family == .v4
        }
    }

    /// Addresses that a socket occupies.
    private enum Claim: Hashable {
        case unix(UnixAddress)
        /// One CID and port.
        case vsock(VsockAddress)
        /// At least one CID at the port; conflicts with a socket on all CIDs.
        case someVsock(port: UInt32)
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
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - listener: The name of its listener, or `nil` for the control socket.
    ///   - onlyV6: Whether an IPv6 socket does not accept IPv4.
    ///   - pointer: The address in the file.
    mutating func claim(
        _ address: ListenAddress,
        of listener: String?,
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
        case .vsock(let socket): needs = Self.needs(of: socket)
        case .ip(let socket): needs = Self.needs(of: socket, onlyV6: onlyV6)
        }
        let own = Owner(address: address, listener: listener, onlyV6: onlyV6, pointer: pointer)
        if let other = needs.compactMap({ owners[$0.conflict] }).first {
            problems.report(
                pointer,
                "\(own.description) overlaps with \(other.description) (\(other.pointer));"
                    + Self.remedy(for: own, and: other)
            )
        }
        for claim in needs.flatMap(\.own) where owners[claim] == nil { owners[claim] = own }
    }

    private static func remedy(for one: Owner, and other: Owner) -> String {
        let wildcard = [(one, other), (other, one)].first { $0.acceptsV4AsWell && $1.isV4 }?.0
        guard let wildcard, let name = wildcard.listener else {
            return " use another address, or remove one of them"
        }
        return " remove one of them, or set \"socket\": {\"onlyV6\": true} in the listener"
            + " \(name.quoted), so that \(wildcard.address) does not accept IPv4"
    }

    /// Returns the claims that conflict with a vsock socket, and the socket's own claims.
    private static func needs(of socket: VsockAddress) -> [(conflict: Claim, own: [Claim])] {
        guard socket.port != VsockAddress.anyPort else { return [] }  // The kernel chooses a port.
        let all = Claim.vsock(VsockAddress(cid: VsockAddress.anyCID, port: socket.port))
        let some = Claim.someVsock(port: socket.port)
        guard socket.cid != VsockAddress.anyCID else { return [(some, [some, all])] }
        let one = Claim.vsock(socket)
        return [(one, [one]), (all, [some])]
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
