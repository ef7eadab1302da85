internal import Glibc
package import SystemPackage
package import Verypoll

/// A Unix-domain listening socket with its file, which is removed when this value is gone.
package struct FileSocket: ~Copyable, Sendable {
    /// The socket, bound and listening.
    package let listener: UnixListener

    /// The file that stands for it.
    package let file: SocketFile

    /// Makes the socket and its file, and the folder of the file if that is missing.
    ///
    /// A file that an earlier process left behind is replaced; one that somebody listens on, or
    /// that is no socket, is not. The file never has a wider mode than asked for, not even for a
    /// moment. Call it before there are other threads, as the umask is the whole process's.
    ///
    /// - Parameters:
    ///   - path: Where the file is to be.
    ///   - backlog: How many connections may wait to be accepted.
    ///   - access: Who may open it.
    ///   - keeper: Who knows whether the next process has use for the file.
    /// - Throws: What is wrong, to be shown to the operator.
    package init(
        binding path: FilePath,
        backlog: Int,
        access: FileAccess,
        keeper: (any SocketKeeper)? = nil
    ) throws(FileSocketError) {
        do throws(Errno) {
            try makeFolder(path.removingLastComponent())
        } catch {
            throw FileSocketError(path: path, reason: "cannot make its folder: \(error)")
        }
        let listener = try Self.bind(path, backlog, access.mode)
        do throws(FileAccessError) {
            try access.apply(to: path)
        } catch {
            SocketFile.unlink(path)
            throw FileSocketError(path: path, reason: error.reason, accessKey: error.key)
        }
        do throws(Errno) {
            file = try SocketFile(path: path, keeper: keeper)
        } catch {
            SocketFile.unlink(path)
            throw FileSocketError(path: path, reason: "cannot find the file: \(error)")
        }
        self.listener = listener
    }

    /// Takes over a socket of the process before with its file.
    package init(_ listener: consuming UnixListener, _ file: consuming SocketFile) {
        self.listener = listener
        self.file = file
    }

    /// Takes the value apart.
    ///
    /// - Parameter file: Gets the file.
    /// - Returns: The socket.
    package consuming func split(file: inout SocketFile?) -> UnixListener {
        file = .some(self.file)
        return listener
    }

    private static func bind(
        _ path: FilePath,
        _ backlog: Int,
        _ mode: FilePermissions
    ) throws(FileSocketError) -> UnixListener {
        do throws(Errno) {
            return try bindPrivately(path, backlog, mode)
        } catch .addressInUse {
            try removeStale(path)
        } catch {
            throw FileSocketError(path: path, reason: "cannot bind: \(error)")
        }
        do throws(Errno) {
            return try bindPrivately(path, backlog, mode)
        } catch {
            throw FileSocketError(path: path, reason: "cannot bind: \(error)")
        }
    }

    private static func bindPrivately(
        _ path: FilePath,
        _ backlog: Int,
        _ mode: FilePermissions
    ) throws(Errno) -> UnixListener {
        // Until it has its group, the file is its owner's alone, and only as far as it is to be.
        let own = mode.intersection([.ownerReadWrite])
        let previous = umask(0o777 & ~own.rawValue)
        defer { umask(previous) }
        return try UnixListener(binding: .path(path), backlog: backlog)
    }

    /// Removes the socket file at `path` if nobody listens on it.
    package static func removeStale(_ path: FilePath) throws(FileSocketError) {
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
        throw FileSocketError(path: path, reason: reason)
    }
}

/// The file of a bound socket, removed when this value is gone, unless the next process of the
/// service goes on with the socket.
package struct SocketFile: ~Copyable, Sendable {
    private let path: FilePath
    private let found: Stat
    private let keeper: (any SocketKeeper)?
    /// Whether the process before has made it.
    private let isInherited: Bool

    /// The group that the file belongs to.
    package let group: UInt32

    /// Notes which file is at `path` now, which has to be that of a socket.
    package init(
        path: FilePath,
        keeper: (any SocketKeeper)? = nil,
        isInherited: Bool = false
    ) throws(Errno) {
        let found = try Stat(path, followTargetSymlink: false)
        guard found.type == .socket else { throw .notSocket }
        self.path = path
        self.keeper = keeper
        self.isInherited = isInherited
        group = found.groupID.rawValue
        self.found = found
    }

    deinit {
        if keeper?.isForRestart == true { return }
        // A start that fails leaves it to the next.
        if isInherited, keeper?.hasBegun == false { return }
        if isPresent { Self.unlink(path) }
    }

    /// Gives the file another access.
    ///
    /// - Throws: Why it can't be given; also if the file is no longer the socket's.
    package func apply(_ access: FileAccess) throws(FileAccessError) {
        guard isPresent else {
            throw FileAccessError(
                key: "mode",
                reason: "the socket's file has been removed or replaced; restart the daemon"
            )
        }
        try access.apply(to: path)
    }

    /// Whether the file at the path is still that of the socket.
    ///
    /// By now it may be that of a successor. The number of an inode is soon used again, so that the
    /// time counts as well at which the file was made; nobody writes to it later.
    private var isPresent: Bool {
        guard let present = try? Stat(path, followTargetSymlink: false) else { return false }
        var same = found
        same.deviceID = present.deviceID
        same.inode = present.inode
        same.st_mtim = present.st_mtim
        return same == found
    }

    fileprivate static func unlink(_ path: FilePath) {
        _ = unsafe Glibc.unlink(path.string)
    }
}

/// Why there is no socket.
package struct FileSocketError: Error, Hashable, CustomStringConvertible {
    let path: FilePath
    package let reason: String
    /// The key of the socket's options that can't be followed, if one is the reason.
    package var accessKey: String?

    package var description: String { "\(path): \(reason)" }
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
