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
            every problem is printed with its place, and the exit status is 5. If a worker is \
            stalled, the verb waits until the worker goes on, and says so on standard error every \
            --timeout seconds. Sessions live on with what they began with, and listeners that \
            stay the same are not touched.
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

/// The differences between two configurations, a line each.
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
