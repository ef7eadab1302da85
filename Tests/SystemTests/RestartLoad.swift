internal import Foundation
internal import TestSupport

/// The load from Tests/Programs/restart_load.py: sessions that transfer bytes in both directions.
enum RestartLoad {
    /// The number of sessions: the environment variable `VERYPOLL_RESTART_SESSIONS`.
    static let sessionCount =
        ProcessInfo.processInfo.environment["VERYPOLL_RESTART_SESSIONS"].flatMap(Int.init) ?? 400

    /// Returns the arguments for Python in the container, for a proxy on port 7080 and servers on
    /// 7090.
    static func arguments(sessions: Int = sessionCount) throws -> [String] {
        ["-c", try Repository.text(ofProgram: "restart_load.py"), String(sessions), "7080", "7090"]
    }
}
