internal import ArgumentParser
internal import VerypollControl

/// The command; each verb has its own file.
struct Verypollctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verypollctl",
        abstract: "Show and control a running verypolld.",
        discussion: """
            Without a verb, the command shows the status. Data goes to standard output, messages \
            go to standard error. Every user who can connect to the control socket may use the \
            verbs that show something. Members of the socket's group may also close sessions, \
            drain and resume listeners, set servers, reload, and set the log level. Root and the \
            daemon's own user may do everything.

            Exit status: 0 success; 1 failure; 2 wrong usage; 3 the daemon cannot be reached; \
            4 no such object, or not permitted; 5 the configuration is invalid.
            """,
        version: "verypollctl \(Release.version)",
        subcommands: [
            StatusCommand.self, ListenersCommand.self, UpstreamsCommand.self, RoutesCommand.self,
            SessionsCommand.self, DrainCommand.self, ResumeCommand.self, ServerCommand.self,
            ReloadCommand.self,
            ConfigCommand.self, MetricsCommand.self, MonitorCommand.self, TopCommand.self,
            LogLevelCommand.self, PingCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: StatusCommand.self
    )

    @OptionGroup var options: GlobalOptions
}
