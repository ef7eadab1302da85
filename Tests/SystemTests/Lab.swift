import Glibc
import TestSupport

/// A booted systemd container, shared by all tests of a suite.
///
/// Where systemd cannot boot, the tests fail and name what is missing; skipped tests would look as
/// if they had passed.
final class Lab: Sendable {
    /// The container with the daemon installed; it boots on first use and ends with the test
    /// process.
    static let shared = Result { try Lab(setup: installation) }

    /// A container without Swift and without the daemon, but with its packages:
    /// /root/verypolld-1.deb and the later version /root/verypolld-2.deb.
    static let bare = Result { try Lab(setup: packages()) }

    private let script: Program
    private let processID: Substring

    private init(setup: String) throws {
        guard geteuid() == 0 else {
            throw MissingRequirement(
                description: "booting systemd requires root; run the tests as root, with make test"
            )
        }
        guard unsafe access("/usr/bin/systemd-nspawn", X_OK) == 0 else {
            throw MissingRequirement(
                description: "booting systemd requires systemd-nspawn; install systemd-container,"
                    + " or run make test, which installs it"
            )
        }
        script = try Program("\(Repository.path)/Scripts/systemd-lab", ["--setup", setup])
        let line = try script.waitForStandardOutput(containing: "lab ", within: .seconds(120))
        processID = line.split(separator: " ")[1]
    }

    /// Starts a program in the container.
    func start(_ name: String, _ arguments: [String]) throws -> Program {
        let enter = ["-t", String(processID), "-r", "-w", "-m", "-p", "-n", "-u", "-i", "--", name]
        return try Program("nsenter", enter + arguments)
    }

    /// Runs a program in the container until it exits.
    @discardableResult
    func run(_ name: String, _ arguments: String...) throws -> Program.Result {
        try start(name, arguments).finish(within: .seconds(90))
    }

    /// Runs a program in the container that must succeed, and returns its output.
    @discardableResult
    func must(_ name: String, _ arguments: String...) throws -> String {
        try must(name, arguments)
    }

    /// Runs a program in the container that must succeed, and returns its output.
    @discardableResult
    func must(_ name: String, _ arguments: [String]) throws -> String {
        let result = try start(name, arguments).finish(within: .seconds(90))
        if result.exit == .code(0) { return result.standardOutput }
        let journal = try run("journalctl", "-u", "verypolld", "-n", "30", "--no-pager")
        throw LabError(
            command: ([name] + arguments).joined(separator: " "),
            exit: result.exit,
            output: result.standardOutput + result.standardError + journal.standardOutput
        )
    }

    /// Replaces a file in the container.
    func write(_ text: String, to path: String) throws {
        let script = #"mkdir -p "${2%/*}" && printf %s "$1" >"$2""#
        try must("sh", "-c", script, "sh", text, path)
    }

    /// Returns a property of a unit.
    func property(_ name: String, of unit: String = "verypolld.service") throws -> String {
        let output = try must("systemctl", "show", "--value", "-p", name, unit)
        return String(output.prefix { $0 != "\n" })
    }

    /// Restarts the daemon with a configuration, discarding the state of earlier tests.
    func restart(configuration: String) throws {
        try stop()
        try write(configuration, to: "/etc/verypolld/verypolld.json")
        try must("systemctl", "start", "verypolld")
    }

    /// Stops the daemon and its sockets, and resets systemd's start counter.
    func stop() throws {
        let units = [
            "verypolld.socket", "verypolld-varlink.socket", "verypolld-metrics.socket",
            "verypolld.service",
        ]
        try must("systemctl", ["stop"] + units)
        _ = try start("systemctl", ["reset-failed"] + units).finish(within: .seconds(90))
    }
}

/// A missing requirement for the container, and its remedy.
struct MissingRequirement: Error, CustomStringConvertible {
    let description: String
}

/// A command that failed in the container.
struct LabError: Error, CustomStringConvertible {
    let command: String
    let exit: Program.Exit
    let output: String

    var description: String { "\(command): \(exit)\n\(output)" }
}
