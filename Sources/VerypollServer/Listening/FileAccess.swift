internal import Console
internal import Glibc
package import SystemPackage
package import VerypollConfiguration

/// The access to a file: its mode, its owner and its group.
package struct FileAccess: Hashable, Sendable {
    let mode: FilePermissions
    /// The owner's number; `nil` for the user of the process.
    package let owner: UInt32?
    /// The group's number; `nil` for the group of the process, or of a directory with the
    /// set-group-ID bit.
    package let group: UInt32?

    private let ownerName: String?
    private let groupName: String?

    /// Looks up the numbers of the owner and the group.
    ///
    /// - Throws: If the user or the group does not exist.
    package init(mode: FilePermissions, owner: String?, group: String?) throws(FileAccessError) {
        self.mode = mode
        ownerName = owner
        groupName = group
        self.owner = try owner.map { name throws(FileAccessError) in
            guard let found = userID(named: name) else {
                throw FileAccessError(
                    key: "owner",
                    reason: "no user is named \(name.quoted); see getent passwd for the names"
                )
            }
            return found
        }
        self.group = try group.map { name throws(FileAccessError) in
            guard let found = groupID(named: name) else {
                throw FileAccessError(
                    key: "group",
                    reason: "no group is named \(name.quoted); see getent group for the names"
                )
            }
            return found
        }
    }

    /// Sets the mode, the owner and the group of a file.
    ///
    /// During the change, only users who can open the file before or after it can open it. The
    /// caller must make sure that nobody replaces the file during the call.
    ///
    /// - Throws: The reason that it failed; the file may then have less access than before, never
    ///   more.
    func apply(to path: FilePath) throws(FileAccessError) {
        let present: Stat
        do throws(Errno) {
            present = try Stat(path, followTargetSymlink: false)
        } catch {
            throw FileAccessError(key: "mode", reason: "can't find the socket's file: \(error)")
        }
        let user = owner ?? geteuid()
        let group = group ?? Self.inheritedGroup(of: path)
        let isGiven = present.userID.rawValue != user || present.groupID.rawValue != group
        let narrow = present.permissions.intersection(mode)
        do throws(Errno) {
            if isGiven, narrow != present.permissions {
                try check(unsafe chmod(path.string, narrow.rawValue))
            }
        } catch {
            throw FileAccessError(key: "mode", reason: "can't set the mode: \(error)")
        }
        if isGiven { try give(path, to: user, group, present) }
        guard isGiven || present.permissions != mode else { return }
        do throws(Errno) {
            try check(unsafe chmod(path.string, mode.rawValue))
        } catch {
            throw FileAccessError(key: "mode", reason: "can't set the mode: \(error)")
        }
    }

    private func give(
        _ path: FilePath,
        to user: UInt32,
        _ group: UInt32,
        _ present: Stat
    ) throws(FileAccessError) {
        // A service's sandbox may forbid chown(2), so it is only called if it changes something.
        do throws(Errno) {
            if present.groupID.rawValue != group {
                try check(unsafe lchown(path.string, .max, group))
            }
        } catch {
            let name = groupName ?? "\(group)"
            let remedy =
                error == .notPermitted
                ? "; without CAP_CHOWN the daemon can give files only to groups that its user is a"
                    + " member of: add SupplementaryGroups=\(name) and SystemCallFilter=@chown to"
                    + " the unit, or name another group" : ""
            throw FileAccessError(
                key: "group",
                reason: "can't give the file to the group \(name.quoted): \(error)\(remedy)"
            )
        }
        do throws(Errno) {
            if present.userID.rawValue != user {
                try check(unsafe lchown(path.string, user, .max))
            }
        } catch {
            let name = ownerName ?? "\(user)"
            let remedy =
                error == .notPermitted
                ? "; only a process with CAP_CHOWN can change the owner: remove \"owner\" and set"
                    + " \"group\" and \"mode\" instead" : ""
            throw FileAccessError(
                key: "owner",
                reason: "can't give the file to the user \(name.quoted): \(error)\(remedy)"
            )
        }
    }

    /// Returns the group of a new file at the path; see inode(7) about S_ISGID.
    private static func inheritedGroup(of path: FilePath) -> UInt32 {
        let folder = path.removingLastComponent()
        let found = try? Stat(folder.isEmpty ? "." : folder)
        guard let found, found.permissions.contains(.setGroupID) else { return getegid() }
        return found.groupID.rawValue
    }
}

/// The reason that a file cannot have the requested access.
package struct FileAccessError: Error, Hashable, CustomStringConvertible {
    /// The configuration key that cannot be applied.
    package let key: String
    package let reason: String

    package var description: String { reason }
}

private func check(_ result: CInt) throws(Errno) {
    guard result == 0 else { throw Errno(rawValue: errno) }
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

private func userID(named name: String) -> UInt32? {
    if let number = UInt32(name) { return number }
    var entry = unsafe passwd()
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    var found: UnsafeMutablePointer<passwd>?
    let size = buffer.count
    guard unsafe getpwnam_r(name, &entry, &buffer, size, &found) == 0, unsafe found != nil else {
        return nil
    }
    return unsafe entry.pw_uid
}

extension FileAccess {
    /// Makes the access that the options of a listener request.
    package init(_ options: SocketOptions) throws(FileAccessError) {
        try self.init(mode: options.mode, owner: options.owner, group: options.group)
    }
}
