internal import CVerypoll
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A socket address in the kernel's form; see sockaddr(3type).
struct KernelAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// Creates storage for the kernel to fill.
    init() {}

    init(_ address: SocketAddress) {
        switch address.ip.family {
        case .v4:
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = address.port.bigEndian
            raw.sin_addr = in_addr(address.ip)
            store(raw)
        case .v6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = address.port.bigEndian
            raw.sin6_scope_id = address.zone
            raw.sin6_addr = in6_addr(address.ip)
            store(raw)
        }
    }

    /// Throws `fileNameTooLong` if the name does not fit.
    ///
    /// A path includes its final NUL.
    init(_ address: UnixAddress) throws(Errno) {
        storage.ss_family = sa_family_t(AF_UNIX)
        let size: Int
        switch address {
        case .path(let path):
            // As bytes, because a path need not be UTF-8.
            guard path.length > 0 else { throw .invalidArgument }
            size = path.length + 1
            guard size <= Self.nameSize else { throw .fileNameTooLong }
            unsafe path.withPlatformString { text in
                unsafe store(name: UnsafeRawBufferPointer(start: text, count: size))
            }
        case .abstract(let bytes):
            size = bytes.count + 1  // An abstract name follows a NUL.
            guard size <= Self.nameSize else { throw .fileNameTooLong }
            unsafe bytes.withUnsafeBytes { bytes in unsafe store(name: bytes, at: 1) }
        case .unnamed: size = 0
        }
        length = socklen_t(Self.nameOffset + size)
    }

    init(_ address: VsockAddress) {
        var raw = cverypoll_vsock_address()
        raw.family = sa_family_t(AF_VSOCK)
        raw.port = address.port
        raw.cid = address.cid
        store(raw)
    }

    private static var nameSize: Int { MemoryLayout<sockaddr_un>.size - nameOffset }

    /// Stores the bytes of a Unix-domain name, which must fit.
    private mutating func store(name: UnsafeRawBufferPointer, at start: Int = 0) {
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            let room = unsafe bytes[(Self.nameOffset + start)...]
            unsafe UnsafeMutableRawBufferPointer(rebasing: room).copyMemory(from: name)
        }
    }

    /// The IP address that the kernel filled in.
    var socketAddress: SocketAddress {
        get throws(Errno) {
            switch CInt(storage.ss_family) {
            case AF_INET:
                let raw = load(sockaddr_in.self)
                return SocketAddress(
                    IPAddress(v4: UInt32(bigEndian: raw.sin_addr.s_addr)),
                    port: UInt16(bigEndian: raw.sin_port)
                )
            case AF_INET6:
                let raw = load(sockaddr_in6.self)
                let bits = unsafe withUnsafeBytes(of: raw.sin6_addr) { bytes in
                    unsafe bytes.loadUnaligned(as: UInt128.self)
                }
                return SocketAddress(
                    IPAddress(v6: UInt128(bigEndian: bits)),
                    port: UInt16(bigEndian: raw.sin6_port),
                    zone: raw.sin6_scope_id
                )
            default: throw .addressFamilyNotSupported
            }
        }
    }

    /// The Unix-domain address that the kernel filled in.
    var unixAddress: UnixAddress {
        get throws(Errno) {
            guard length >= socklen_t(Self.nameOffset) else { return .unnamed }
            guard CInt(storage.ss_family) == AF_UNIX else { throw .addressFamilyNotSupported }
            let name = unsafe withUnsafeBytes(of: storage) { bytes in
                unsafe Array(bytes[Self.nameOffset..<min(Int(length), bytes.count)])
            }
            guard let first = name.first else { return .unnamed }
            if first == 0 { return .abstract(Array(name.dropFirst())) }
            let path = name.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
            return .path(FilePath(platformString: path))
        }
    }

    /// The vsock address that the kernel filled in.
    var vsockAddress: VsockAddress {
        get throws(Errno) {
            guard CInt(storage.ss_family) == AF_VSOCK else { throw .addressFamilyNotSupported }
            let raw = load(cverypoll_vsock_address.self)
            return VsockAddress(cid: raw.cid, port: raw.port)
        }
    }

    /// Passes the address to a call that reads it, such as bind(2) or connect(2).
    func withPointer<Value, Failure>(
        _ body: (UnsafePointer<sockaddr>?, socklen_t) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try unsafe withUnsafeBytes(of: storage) { bytes throws(Failure) in
            try unsafe body(bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, length)
        }
    }

    /// Passes the storage to a call that fills it, such as getsockname(2) or accept(2).
    mutating func fill<Value>(
        _ body: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>) throws(Errno) ->
            Value
    ) throws(Errno) -> Value {
        var filled = length
        let value = try unsafe withUnsafeMutableBytes(of: &storage) { bytes throws(Errno) in
            try unsafe body(bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &filled)
        }
        length = filled
        return value
    }

    private static var nameOffset: Int { MemoryLayout<sa_family_t>.size }

    private mutating func store<Raw>(_ raw: Raw) {
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe withUnsafeBytes(of: raw) { unsafe bytes.copyMemory(from: $0) }
        }
        length = socklen_t(MemoryLayout<Raw>.size)
    }

    private func load<Raw>(_ type: Raw.Type) -> Raw {
        unsafe withUnsafeBytes(of: storage) { bytes in unsafe bytes.load(as: Raw.self) }
    }
}

extension in_addr {
    /// An IPv4 address in network byte order.
    init(_ address: IPAddress) {
        self.init(s_addr: UInt32(truncatingIfNeeded: address.bits).bigEndian)
    }
}

extension in6_addr {
    /// An IPv6 address in network byte order.
    init(_ address: IPAddress) {
        self.init()
        unsafe withUnsafeMutableBytes(of: &self) { bytes in
            unsafe bytes.storeBytes(of: address.bits.bigEndian, as: UInt128.self)
        }
    }
}
