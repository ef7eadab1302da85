internal import ArgumentParser
internal import Console
internal import VerypollControl

/// The verb `verypollctl reload`.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Reload the configuration file and print the changes.",
        discussion: """
            When the verb returns, either the whole configuration is in effect or nothing has \
            changed. In the second case, the problems are printed with their places, at most \
            100 of them, and the exit status is 5. If a worker is stalled, the verb waits until \
            the worker continues, and says so on standard error every --timeout seconds. Open \
            sessions keep the settings that they started with, and unchanged listeners are not \
            affected.
            """
    )

    @OptionGroup var options: GlobalOptions

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        do throws(Failure) {
            let list = try daemon.patientCall(
                DaemonInterface.Method.reload.rawValue,
                as: ChangeList.self
            )
            try output.print(list) { changeLines($0, on: output.terminal) }
            if list.changes.isEmpty, output.hasHints { writeError("Nothing has changed.") }
        } catch {
            try output.printProblems(of: error)
            throw error
        }
    }
}

/// Returns the differences between two configurations, one per line.
func changeLines(_ list: ChangeList, on terminal: Terminal) -> [DisplayText] {
    let omitted: [DisplayText] = list.omitted.map { ["and \($0) more"] } ?? []
    let lines = list.changes.map { change in
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
    return lines + omitted
}
