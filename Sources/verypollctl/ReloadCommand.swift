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

            With --sysexits, a failure has the exit status of sysexits(3): 78 the configuration is \
            invalid, 77 not permitted, 75 the daemon is busy or the call failed, 69 the daemon \
            cannot be reached. systemd knows these names: ExecReload= with this option fails with \
            78/CONFIG, and not with 5/NOTINSTALLED.
            """
    )

    @Flag(help: "Fail with the exit statuses of sysexits(3), for ExecReload= in a unit.")
    var sysexits = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        do throws(Failure) {
            try reload()
        } catch {
            var failure = error
            failure.usesSysexits = sysexits
            throw failure
        }
    }

    private func reload() throws(Failure) {
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
