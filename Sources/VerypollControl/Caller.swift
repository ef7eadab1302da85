/// The process that made a call on the control socket.
///
/// The fields are documented in `io.verypoll.Daemon.varlink`.
package struct Caller: Codable, Hashable, Sendable {
    package var uid: Int
    package var gid: Int
    package var pid: Int?
    package var command: String?

    /// Makes a caller from its fields.
    package init(uid: Int, gid: Int, pid: Int?, command: String? = nil) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.command = command
    }
}

extension Caller: CustomStringConvertible {
    /// The command, user ID and process ID: `verypollctl (uid 0, pid 123)`.
    package var description: String {
        let ids = "uid \(uid)" + (pid.map { ", pid \($0)" } ?? "")
        return command.map { "\($0) (\(ids))" } ?? ids
    }
}
