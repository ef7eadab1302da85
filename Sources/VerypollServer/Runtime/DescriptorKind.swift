internal import Glibc
internal import SystemPackage

/// The kind of a descriptor, as far as the record of a session describes it.
enum DescriptorKind: Hashable, Sendable {
    /// A TCP socket that is not listening.
    case tcp
    /// A Unix-domain stream socket that is not listening.
    case unix
    /// A vsock stream socket that is not listening.
    case vsock
    /// The writing end of a pipe.
    case pipeSender(PipeIdentity)
    /// The reading end of a pipe that holds this many bytes.
    case pipeReceiver(PipeIdentity, byteCount: Int)
    /// Anything else, or a number that is not open.
    case other

    /// The device and the inode of a pipe, which are the same for both of its ends.
    struct PipeIdentity: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
    }

    /// Asks the kernel for the kind of a descriptor.
    init(_ descriptor: FileDescriptor) {
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
            self = .other
            return
        }
        let identity = PipeIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        self =
            switch status.st_mode & S_IFMT {
            case S_IFSOCK: Self.socket(descriptor)
            case S_IFIFO: Self.pipe(descriptor, identity)
            default: .other
            }
    }

    private static func socket(_ descriptor: FileDescriptor) -> DescriptorKind {
        guard option(descriptor, SO_TYPE) == CInt(SOCK_STREAM.rawValue),
            option(descriptor, SO_ACCEPTCONN) == 0
        else { return .other }
        switch option(descriptor, SO_DOMAIN) {
        case AF_UNIX: return .unix
        case AF_VSOCK: return .vsock
        case AF_INET, AF_INET6:
            return option(descriptor, SO_PROTOCOL) == CInt(IPPROTO_TCP) ? .tcp : .other
        default: return .other
        }
    }

    private static func pipe(
        _ descriptor: FileDescriptor,
        _ identity: PipeIdentity
    ) -> DescriptorKind {
        let flags = fcntl(descriptor.rawValue, F_GETFL)
        guard flags >= 0 else { return .other }
        switch flags & O_ACCMODE {
        case O_WRONLY: return .pipeSender(identity)
        case O_RDONLY:
            var count: CInt = 0
            guard unsafe ioctl(descriptor.rawValue, UInt(FIONREAD), &count) == 0 else {
                return .other
            }
            return .pipeReceiver(identity, byteCount: Int(count))
        default: return .other
        }
    }

    private static func option(_ socket: FileDescriptor, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let code = unsafe getsockopt(socket.rawValue, SOL_SOCKET, name, &value, &size)
        return code == 0 ? value : nil
    }
}
