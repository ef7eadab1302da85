#if Net && OSExt
internal import Glibc
internal import SystemPackage
internal import Verypoll

/// The control socket with its file, which is there for as long as this value.
struct ControlSocket: ~Copyable {
    /// The socket, bound and listening.
    let listener: UnixListener

    /// The file that stands for it.
    let file: SocketFile

    /// Makes the socket and its file, and the folder of the file if that is missing.
    ///
    /// A file that an earlier process left behind is replaced; one that somebody listens on, or
    /// that is no socket, is not. The file never has a wider mode than asked for, not even for a
    /// moment. Call it before there are other threads, as the umask is the whole process's.
    ///
    /// - Parameters:
    ///   - path: Where the file is to be.
    ///   - mode: Its permissions.
    ///   - group: Its group, a name or a number; `nil` leaves the process's own.
    /// - Throws: What is wrong, to be shown to the operator.
    init(path: FilePath, mode: FilePermissions, group: String?) throws(ControlSocketError) {
        var owner: UInt32?
        if let group {
            guard let found = groupID(named: group) else {
                throw ControlSocketError(path: path, reason: "no group is named \"\(group)\"")
            }
            owner = found
        }
        do throws(Errno) {
            try makeFolder(path.removingLastComponent())
        } catch {
            throw ControlSocketError(path: path, reason: "cannot make its folder: \(error)")
        }
        let listener = try Self.bind(path)
        do throws(Errno) {
            // The group first: with the mode first, the wrong group would be let in.
            if let owner { try check(unsafe chown(path.string, .max, owner)) }
            try check(unsafe chmod(path.string, mode.rawValue))
            file = try SocketFile(path: path)
        } catch {
            SocketFile.unlink(path)
            throw ControlSocketError(path: path, reason: "cannot set group and mode: \(error)")
        }
        self.listener = listener
    }

    private static func bind(_ path: FilePath) throws(ControlSocketError) -> UnixListener {
        do throws(Errno) {
            return try bindPrivately(path)
        } catch .addressInUse {
            try removeStale(path)
        } catch {
            throw ControlSocketError(path: path, reason: "cannot bind: \(error)")
        }
        do throws(Errno) {
            return try bindPrivately(path)
        } catch {
            throw ControlSocketError(path: path, reason: "cannot bind: \(error)")
        }
    }

    private static func bindPrivately(_ path: FilePath) throws(Errno) -> UnixListener {
        let previous = umask(0o177)
        defer { umask(previous) }
        return try UnixListener(binding: .path(path))
    }

    /// Removes the socket file at `path` if nobody listens on it.
    private static func removeStale(_ path: FilePath) throws(ControlSocketError) {
        var reason = "another process listens on it"
        do throws(Errno) {
            if try Stat(path, followTargetSymlink: false).type == .socket {
                _ = try UnixStream(connectingTo: .path(path))
            } else {
                reason = "the file exists and is no socket"
            }
        } catch .connectionRefused {
            return SocketFile.unlink(path)
        } catch .noSuchFileOrDirectory {
            return  // Somebody else removed it meanwhile.
        } catch .resourceTemporarilyUnavailable {
            // Its backlog is full, so somebody listens.
        } catch {
            reason = "cannot see who listens on it: \(error)"
        }
        throw ControlSocketError(path: path, reason: reason)
    }
}

/// The file of a bound socket.
struct SocketFile: Hashable, Sendable {
    let path: FilePath

    /// The group that the file belongs to.
    let group: UInt32

    private let device: UInt64
    private let inode: UInt64

    /// Notes which file is at `path` now.
    init(path: FilePath) throws(Errno) {
        let found = try Stat(path, followTargetSymlink: false)
        self.path = path
        group = found.groupID.rawValue
        device = UInt64(found.deviceID.rawValue)
        inode = UInt64(found.inode.rawValue)
    }

    /// Removes the file, if it is still the same and not that of a successor.
    func remove() {
        guard let found = try? SocketFile(path: path), found == self else { return }
        Self.unlink(path)
    }

    fileprivate static func unlink(_ path: FilePath) {
        _ = unsafe Glibc.unlink(path.string)
    }
}

/// Why there is no control socket.
struct ControlSocketError: Error, Hashable, CustomStringConvertible {
    let path: FilePath
    let reason: String

    var description: String { "control socket \(path): \(reason)" }
}

private func check(_ result: CInt) throws(Errno) {
    guard result == 0 else { throw Errno(rawValue: errno) }
}

private func makeFolder(_ path: FilePath) throws(Errno) {
    guard !path.isEmpty else { return }
    do throws(Errno) {
        try check(unsafe mkdir(path.string, 0o755))
    } catch .fileExists {
        return
    }
}

private func groupID(named name: String) -> UInt32? {
    if let number = UInt32(name) { return number }
    var entry = unsafe group()
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    var found: UnsafeMutablePointer<group>?
    let size = buffer.count
    guard unsafe getgrnam_r(name, &entry, &buffer, size, &found) == 0, unsafe found != nil else {
        return nil
    }
    return unsafe entry.gr_gid
}
#endif
