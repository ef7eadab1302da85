internal import ArgumentParser

/// The verb of `verypollctl sessions`.
struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List open sessions, show, close or watch them.",
        discussion: """
            A session is known by its number, which is the same in the list, in events and in the \
            journal: journalctl VERYPOLL_SESSION=7 finds what was logged about session 7. Without \
            a further verb the sessions are listed.
            """,
        subcommands: [
            SessionsListCommand.self, SessionsShowCommand.self, SessionsKillCommand.self,
            SessionsWatchCommand.self,
        ],
        defaultSubcommand: SessionsListCommand.self
    )
}
