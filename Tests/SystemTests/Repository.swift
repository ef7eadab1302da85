import TestSupport

/// The folder of the package, where its scripts run.
enum Repository {
    static let path: String = {
        // This file is Tests/SystemTests/Repository.swift in it.
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()
}
