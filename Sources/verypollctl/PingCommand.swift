internal import ArgumentParser
internal import Console
internal import Varlink
internal import VerypollControl

/// The verb `verypollctl ping`.
struct PingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Test whether the daemon answers; if not, the exit status is 3."
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.call(SystemdInterface.Method.ping.rawValue, as: NoParameters.self)
        let path = daemon.path
        try Output(options).print(answer) { _ in ["verypolld answers at \(path)"] }
    }
}
