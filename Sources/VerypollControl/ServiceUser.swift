internal import Glibc

/// The user as whom the packaged unit runs the daemon, and whether that one can read a file.
package enum ServiceUser {
    /// The user's name in `verypolld.service` and in `verypolld.sysusers`.
    package static let name = "verypoll"

    /// The warning to root about a file that the service's user can't read.
    ///
    /// The kernel is asked as that user, so that it minds access control lists as well. Call it
    /// while the process has a single thread: for a moment it acts as the user.
    ///
    /// - Parameter path: The absolute path of a file that root can read.
    /// - Returns: `nil` if the user can read the file, if there is no such user, or if the process
    ///   is not root's.
    package static func warning(aboutReading path: String) -> String? {
        guard geteuid() == 0, let account = Account(named: name) else { return nil }
        let place = "\(path): the user \(name), as which verypolld.service runs, can't read it"
        guard account.act() else {
            return "\(path): can't find out whether the user \(name) can read it"
        }
        let obstacle = obstacle(on: path)
        account.stopActing()
        guard let obstacle else { return nil }
        if obstacle == path {
            return "\(place); run chgrp \(name) \(path) && chmod g+r \(path)"
        }
        return "\(place): it may not enter \(obstacle); run chgrp \(name) \(obstacle) && chmod g+x"
            + " \(obstacle), or move the file to /etc/verypolld"
    }

    /// The first folder on the way that can't be entered, or the file if that can't be read.
    private static func obstacle(on path: String) -> String? {
        var folder = ""
        for component in path.split(separator: "/").dropLast() {
            folder += "/\(component)"
            if !canAccess(folder, X_OK) { return folder }
        }
        return canAccess(path, R_OK) ? nil : path
    }

    private static func canAccess(_ path: String, _ mode: CInt) -> Bool {
        unsafe faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0
    }

    /// The numbers of a user.
    private struct Account {
        let user: uid_t
        let group: gid_t
        let groups: [gid_t]
        private let former: [gid_t]

        init?(named name: String) {
            var entry = unsafe passwd()
            var buffer = [CChar](repeating: 0, count: 64 << 10)
            var found: UnsafeMutablePointer<passwd>?
            let size = buffer.count
            guard unsafe getpwnam_r(name, &entry, &buffer, size, &found) == 0,
                unsafe found != nil
            else { return nil }
            user = unsafe entry.pw_uid
            group = unsafe entry.pw_gid
            var count: CInt = 1024
            var list = [gid_t](repeating: 0, count: Int(count))
            guard unsafe getgrouplist(name, group, &list, &count) >= 0 else { return nil }
            groups = Array(list.prefix(Int(count)))
            var own = [gid_t](repeating: 0, count: 65_536)
            let ownCount = unsafe getgroups(CInt(own.count), &own)
            former = Array(own.prefix(max(0, Int(ownCount))))
        }

        /// Makes the process act as the user.
        ///
        /// - Returns: Whether it does; if not, it acts as before.
        func act() -> Bool {
            if unsafe setgroups(groups.count, groups) == 0, setegid(group) == 0, seteuid(user) == 0
            {
                return true
            }
            stopActing()
            return false
        }

        /// Makes the process act as root again.
        func stopActing() {
            let isRoot = seteuid(0) == 0 && setegid(getgid()) == 0
            let hasGroups = unsafe setgroups(former.count, former) == 0
            // Its own former numbers are always allowed; going on as somebody else is not safe.
            precondition(isRoot && hasGroups, "the process can't be root again")
        }
    }
}
