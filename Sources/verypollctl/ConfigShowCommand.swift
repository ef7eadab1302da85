internal import ArgumentParser
internal import VerypollControl

/// The verb `verypollctl config show`.
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the configuration that is in effect, with every default filled in.",
        discussion: """
            The output has the form of a configuration file with the same meaning. With --json, \
            the output is the daemon's whole answer, including the path of the file.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let answer = try daemon.call(
            DaemonInterface.Method.getConfig.rawValue,
            as: EffectiveConfiguration.self
        )
        let output = Output(options)
        let text = try output.json(answer.config, isPretty: true)
        try output.print(answer) { _ in text }
    }
}
