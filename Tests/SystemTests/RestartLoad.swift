internal import Foundation
internal import TestSupport

/// The load of Tests/Programs/restart_load.py: sessions that move bytes both ways.
enum RestartLoad {
    /// How many sessions there are: `VERYPOLL_RESTART_SESSIONS`.
    static let sessionCount =
        ProcessInfo.processInfo.environment["VERYPOLL_RESTART_SESSIONS"].flatMap(Int.init) ?? 400

    /// What Python is started with inside a lab, for a proxy on port 7080 and servers on 7090.
    static func arguments(sessions: Int = sessionCount) throws -> [String] {
        ["-c", try Repository.text(ofProgram: "restart_load.py"), String(sessions), "7080", "7090"]
    }
}
