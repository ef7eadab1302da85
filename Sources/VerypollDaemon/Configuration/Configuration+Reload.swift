// What a daemon that runs cannot go over to.

extension Configuration {
    /// Reports what takes a restart.
    func check(after former: Configuration, reportingTo problems: ProblemList) {
        func require(_ isSame: Bool, _ path: String..., what: String) {
            guard !isSame else { return }
            problems.report(
                JSONPointer(path),
                "\(what) cannot be changed by a reload; restart the daemon, or write what it was"
            )
        }
        require(
            workers == former.workers,
            "workers",
            what: "the number of workers, which is \(former.workers),"
        )
        require(
            control.socket == former.control.socket,
            "control",
            "socket",
            what: "the control socket"
        )
        require(control.mode == former.control.mode, "control", "mode", what: "its mode")
        require(control.group == former.control.group, "control", "group", what: "its group")
        if limits.maxSessions > former.limits.capacity {
            problems.report(
                JSONPointer(["limits", "maxSessions"]),
                "a reload can allow \(former.limits.capacity) sessions and no more; restart the"
                    + " daemon, or lower this"
            )
        }
    }
}
