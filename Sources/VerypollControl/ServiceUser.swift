internal import Glibc

/// The user of the packaged service.
package enum ServiceUser {
    /// The user's name in `verypolld.service` and in `verypolld.sysusers`.
    package static let name = "verypoll"

    /// Returns a warning for root if the service's user can't read a file.
    ///
    /// The process asks the kernel with the user's credentials, so that access control lists count
    /// too. Call this only while the process has a single thread.
    ///
    /// - Parameter path: The absolute path of a file that root can read.
    /// - Returns: `nil` if the user can read the file, if the user does not exist, or if the
    ///   process does not run as root.
    package static func warning(aboutReading path: String) -> String? {
        guard geteuid() == 0, let account = Account(named: name) else { return nil }
        let place = "\(path): the user \(name) of verypolld.service can't read it"
        guard account.act() else {
            return "\(path): cannot check whether the user \(name) can read it"
        }
        let obstacle = obstacle(on: path)
        account.stopActing()
        guard let obstacle else { return nil }
        if obstacle == path {
            return "\(place); run chgrp \(name) \(path) && chmod g+r \(path)"
        }
        return "\(place), because it may not enter \(obstacle); run chgrp \(name) \(obstacle) &&"
            + " chmod g+x \(obstacle), or move the file to /etc/verypolld"
    }

    /// Returns the first directory of a path that can't be entered, or the path itself if the file
    /// can't be read, or `nil` if it can.
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

    /// The user ID and the group IDs of a user.
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

        /// Gives the process the effective credentials of the user.
        ///
        /// - Returns: Whether that succeeded; if not, the credentials are unchanged.
        func act() -> Bool {
            if unsafe setgroups(groups.count, groups) == 0, setegid(group) == 0, seteuid(user) == 0
            {
                return true
            }
            stopActing()
            return false
        }

        /// Gives the process the effective credentials of root again.
        func stopActing() {
            let isRoot = seteuid(0) == 0 && setegid(getgid()) == 0
            let hasGroups = unsafe setgroups(former.count, former) == 0
            // The kernel always allows the real user ID. Continuing as another user is not safe.
            precondition(isRoot && hasGroups, "the process can't be root again")
        }
    }
}
