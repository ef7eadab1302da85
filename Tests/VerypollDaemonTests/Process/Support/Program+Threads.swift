internal import Foundation
internal import SystemPackage
internal import TestSupport

extension Program {
    /// Returns the ID of the thread with this name, as shown by ps(1).
    func threadID(named name: String) throws -> Int32 {
        let folder = "/proc/\(processID)/task"
        for entry in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let title = try String(contentsOfFile: "\(folder)/\(entry)/comm", encoding: .utf8)
            if title == "\(name)\n", let number = Int32(entry) { return number }
        }
        throw Errno.noSuchProcess
    }

    /// The CPU time that the main thread has used.
    func mainThreadTime() throws -> Duration {
        let file = "/proc/\(processID)/task/\(processID)/schedstat"
        let fields = try String(contentsOfFile: file, encoding: .utf8).split(separator: " ")
        guard let nanoseconds = fields.first.flatMap({ Int64($0) }) else {
            throw Errno.invalidArgument
        }
        return .nanoseconds(nanoseconds)
    }
}
