internal import Glibc
package import SystemPackage
package import Verypoll

/// A lookup of a host's addresses, which may take long; see getaddrinfo(3).
package enum NameLookup {
    /// Asks the services in nsswitch.conf(5) and waits for the answer.
    ///
    /// - Returns: At least one address, all with this port, in the order in which to try them (RFC
    ///   6724); or the reason why there is none.
    package static func addresses(
        of host: String,
        port: UInt16
    ) -> Result<[SocketAddress], NameLookupFailure> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(NameLookupFailure(code: code, errno: errno)) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe address(in: entry.pointee, port: port),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty
            ? .failure(NameLookupFailure(reason: "it has no IP address")) : .success(addresses)
    }

    @unsafe private static func address(in entry: addrinfo, port: UInt16) -> SocketAddress? {
        guard let raw = unsafe UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch unsafe entry.ai_family {
        case AF_INET:
            let found = unsafe raw.loadUnaligned(as: sockaddr_in.self)
            let bits = UInt32(bigEndian: found.sin_addr.s_addr)
            return SocketAddress(IPAddress(v4: bits), port: port)
        case AF_INET6:
            let found = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
            let bits = unsafe withUnsafeBytes(of: found.sin6_addr) {
                unsafe $0.loadUnaligned(as: UInt128.self)
            }
            let address = IPAddress(v6: UInt128(bigEndian: bits))
            return SocketAddress(address, port: port, zone: found.sin6_scope_id)
        default: return nil
        }
    }
}

/// The reason that a name has no address.
package struct NameLookupFailure: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(reason: String) {
        description = reason
    }

    /// A failure to start the thread of a lookup.
    package static func noThread(_ error: Errno) -> NameLookupFailure {
        NameLookupFailure(reason: "cannot start a thread: \(error)")
    }

    /// Describes an error of getaddrinfo(3).
    fileprivate init(code: CInt, errno: CInt) {
        if code == EAI_SYSTEM {
            description = "\(Errno(rawValue: errno))"
        } else {
            let message = unsafe gai_strerror(code)
            description = unsafe message.map { unsafe String(cString: $0) } ?? "error \(code)"
        }
    }
}
