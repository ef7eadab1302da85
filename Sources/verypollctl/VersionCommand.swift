internal import ArgumentParser
internal import Console
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this command and of the running daemon."
    )

    @OptionGroup var options: GlobalOptions

    /// The versions; `verypolld` is `nil` if the daemon cannot be reached.
    private struct Versions: Encodable {
        var verypollctl = Release.version
        var verypolld: String?
    }

    func run() throws {
        var versions = Versions()
        var problem: Failure?
        do throws(Failure) {
            var daemon = try options.connect()
            let info = try daemon.call("org.varlink.service.GetInfo", as: Service.Info.self)
            versions.verypolld = info.version
        } catch {
            problem = error
        }
        try Output(options).print(versions) { versions in
            ["verypollctl \(versions.verypollctl)"]
                + (versions.verypolld.map { ["verypolld \($0)"] } ?? [])
        }
        // The known version is printed before the failure is reported.
        if let problem { throw problem }
    }
}
