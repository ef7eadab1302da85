internal import StrictJSON

// Changes that a running daemon cannot make.

extension Configuration {
    /// Reports changes that require a restart.
    ///
    /// Invalid values are not compared, because each was replaced by a default that is not in the
    /// file.
    package func check(after former: Configuration, reportingTo problems: ProblemList) {
        func require(_ isSame: Bool, _ path: String..., what: String) {
            let pointer = JSONPointer(path)
            guard !isSame, !problems.contains(pointer) else { return }
            problems.report(
                pointer,
                "a reload cannot change \(what); restart the daemon, or restore the former value"
            )
        }
        require(
            workers == former.workers,
            "workers",
            what: "the number of workers, which is \(former.workers)"
        )
        require(
            control.socket == former.control.socket,
            "control",
            "socket",
            what: "the control socket"
        )
        require(control.mode == former.control.mode, "control", "mode", what: "the socket's mode")
        require(
            control.group == former.control.group,
            "control",
            "group",
            what: "the socket's group"
        )
        let limit = JSONPointer(["limits", "maxSessions"])
        if limits.maxSessions > former.limits.capacity, !problems.contains(limit) {
            problems.report(
                limit,
                "a reload can allow at most \(former.limits.capacity) sessions; restart the daemon"
                    + " to allow more, or lower this value"
            )
        }
    }
}
