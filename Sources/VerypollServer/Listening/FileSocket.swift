internal import Glibc
package import SystemPackage
package import Verypoll

/// A Unix-domain listening socket with its file; ``SocketFile`` says when the file is removed.
package struct FileSocket: ~Copyable, Sendable {
    /// The socket, bound and listening.
    package let listener: UnixListener

    /// The file of the socket.
    package let file: SocketFile

    /// Makes the socket and its file, and the directory of the file if it does not exist.
    ///
    /// A socket file on which no process listens is replaced. Any other file is kept, and an error
    /// is thrown. The new file never has a wider mode than requested.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - backlog: The most connections that may wait to be accepted.
    ///   - access: The owner, the group and the mode of the file.
    ///   - keeper: Knows whether the next process will use the file.
    /// - Throws: The problem, as a message for the operator.
    package init(
        binding path: FilePath,
        backlog: Int,
        access: FileAccess,
        keeper: (any SocketKeeper)? = nil
    ) throws(FileSocketError) {
        do throws(Errno) {
            try makeFolder(path.removingLastComponent())
        } catch {
            throw FileSocketError(path: path, reason: "cannot create its directory: \(error)")
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

    /// Adopts a socket and its file from the previous process.
    package init(_ listener: consuming UnixListener, _ file: consuming SocketFile) {
        self.listener = listener
        self.file = file
    }

    /// Separates the socket from its file.
    ///
    /// - Parameter file: Receives the file.
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
        // Until the group is set, only the owner has access, limited to what the final mode grants.
        // The socket's mode determines that of its file. The umask belongs to the whole process.
        let own = mode.intersection([.ownerReadWrite])
        return try UnixListener(binding: path, mode: own, backlog: backlog)
    }

    /// Removes the socket file at `path` if no process listens on it.
    package static func removeStale(_ path: FilePath) throws(FileSocketError) {
        var reason = "another process listens on it"
        do throws(Errno) {
            if try Stat(path, followTargetSymlink: false).type == .socket {
                _ = try UnixStream(connectingTo: .path(path))
            } else {
                reason = "the file exists and is not a socket"
            }
        } catch .connectionRefused {
            return SocketFile.unlink(path)
        } catch .noSuchFileOrDirectory {
            return  // Another process has removed it.
        } catch .resourceTemporarilyUnavailable {
            // The backlog is full, so a process listens on it.
        } catch {
            reason = "cannot find out whether a process listens on it: \(error)"
        }
        throw FileSocketError(path: path, reason: reason)
    }
}

/// The file of a bound socket; removed when this value is destroyed, unless the next process of the
/// service adopts the socket.
package struct SocketFile: ~Copyable, Sendable {
    private let path: FilePath
    private let found: Stat
    private let keeper: (any SocketKeeper)?
    /// Whether the previous process made the file.
    private let isInherited: Bool

    /// The group that the file belongs to.
    package let group: UInt32

    /// Identifies the file at `path`, which must be a socket.
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
        // If this process fails to start, the next one still needs the file.
        if isInherited, keeper?.hasBegun == false { return }
        if isPresent { Self.unlink(path) }
    }

    /// Changes the access of the file.
    ///
    /// - Throws: The problem, for instance that the file no longer belongs to the socket.
    package func apply(_ access: FileAccess) throws(FileAccessError) {
        guard isPresent else {
            throw FileAccessError(
                key: "mode",
                reason: "the socket's file has been removed or replaced; restart the daemon"
            )
        }
        try access.apply(to: path)
    }

    /// Whether the file at the path still belongs to this socket.
    ///
    /// A successor may have replaced the file. Inode numbers are reused soon, so the modification
    /// time is compared as well. That time never changes, because nothing writes to a socket file.
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

/// The reason that a socket could not be made.
package struct FileSocketError: Error, Hashable, CustomStringConvertible {
    let path: FilePath
    package let reason: String
    /// The key of the socket's options that cannot be applied, if that is the reason.
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
