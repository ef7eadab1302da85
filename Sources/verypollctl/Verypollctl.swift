internal import ArgumentParser
internal import VerypollControl

/// The command, of which each verb is in a file of its own.
struct Verypollctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verypollctl",
        abstract: "Show and steer a running verypolld.",
        discussion: """
            Without a verb it shows the status. Data goes to standard output, messages go to \
            standard error. Everybody who can open the control socket may look; members of its \
            group may also act on sessions, listeners and servers, reload, and set the log level; \
            root and the daemon's own user may do everything.

            Exit status: 0 done; 1 failed; 2 wrong usage; 3 the daemon cannot be reached; \
            4 no such object, or not permitted; 5 the configuration is invalid.
            """,
        version: "verypollctl \(Release.version)",
        subcommands: [
            StatusCommand.self, ListenersCommand.self, UpstreamsCommand.self, SessionsCommand.self,
            DrainCommand.self, ResumeCommand.self, ServerCommand.self, ReloadCommand.self,
            ConfigCommand.self, MetricsCommand.self, MonitorCommand.self, TopCommand.self,
            LogLevelCommand.self, PingCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: StatusCommand.self
    )

    @OptionGroup var options: GlobalOptions
}
