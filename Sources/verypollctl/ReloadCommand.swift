#if Net && OSExt
internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb of `verypollctl reload`.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Load the configuration's file again, and print what has changed.",
        discussion: """
            Either all of it is in effect when the verb returns, or nothing has changed: then \
            every problem is printed with its place, and the exit status is 5. Sessions live on \
            with what they began with, and listeners that stay the same are not touched.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        do throws(Failure) {
            let list = try daemon.call(
                DaemonInterface.Method.reload.rawValue,
                as: ChangeList.self
            )
            try output.print(list) { changeLines($0.changes, on: output.terminal) }
            if list.changes.isEmpty, output.hasHints { writeError("Nothing has changed.") }
        } catch {
            try output.printProblems(of: error)
            throw error
        }
    }
}

/// The differences between two configurations, a line each.
func changeLines(_ changes: [ConfigurationChange], on terminal: Terminal) -> [DisplayText] {
    changes.map { change in
        let (sign, style): (String, Style) =
            switch change.kind {
            case .added: ("+", .green)
            case .removed: ("-", .red)
            case .changed: ("~", .yellow)
            }
        let values = [change.before, change.after].compactMap(\.self).joined(separator: " → ")
        let line: DisplayText = "\(sign) \(change.pointer): \(values)"
        return terminal.styled(line, style)
    }
}
#endif
