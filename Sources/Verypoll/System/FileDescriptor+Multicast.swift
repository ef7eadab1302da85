#if Net
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension FileDescriptor {
    /// Joins or leaves a multicast group; `IP_ADD_MEMBERSHIP` and related options.
    func changeMembership(
        joins: Bool,
        _ group: IPAddress,
        on interface: NetworkInterface
    ) throws(Errno) {
        if group.family == .v4 {
            var request = try interface.requestV4
            request.imr_multiaddr = in_addr(group)
            let name = joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP
            try set(CInt(IPPROTO_IP), name, to: request)
        } else {
            var request = ipv6_mreq()
            request.ipv6mr_multiaddr = in6_addr(group)
            request.ipv6mr_interface = UInt32(bitPattern: try interface.indexV6)
            let name = joins ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP
            try set(CInt(IPPROTO_IPV6), name, to: request)
        }
    }

    /// Sets the interface that multicast is sent from.
    func setMulticastInterface(_ interface: NetworkInterface) throws(Errno) {
        if try value(of: .family) == AF_INET {
            try set(CInt(IPPROTO_IP), IP_MULTICAST_IF, to: try interface.requestV4)
        } else {
            try set(.multicastInterfaceV6, to: try interface.indexV6)
        }
    }

    private func set<Value>(_ level: CInt, _ name: CInt, to value: Value) throws(Errno) {
        _ = try unsafe withUnsafeBytes(of: value) { bytes throws(Errno) in
            try syscall {
                unsafe setsockopt(
                    rawValue,
                    level,
                    name,
                    bytes.baseAddress,
                    socklen_t(bytes.count)
                )
            }
        }
    }
}

extension NetworkInterface {
    /// The interface for the options of IPv4, by address or by index.
    fileprivate var requestV4: ip_mreqn {
        get throws(Errno) {
            var request = ip_mreqn()
            switch self {
            case .any: break
            case .index(let index): request.imr_ifindex = CInt(bitPattern: index)
            case .address(let address):
                guard address.family == .v4 else { throw .invalidArgument }
                request.imr_address = in_addr(address)
            }
            return request
        }
    }

    /// The index of the interface, because the options of IPv6 do not accept addresses.
    fileprivate var indexV6: CInt {
        get throws(Errno) {
            switch self {
            case .any: 0
            case .index(let index): CInt(bitPattern: index)
            case .address: throw .invalidArgument
            }
        }
    }
}
#endif
