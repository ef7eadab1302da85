internal import ArgumentParser
internal import Console
internal import Glibc

var status = ExitStatus.done.rawValue
do {
    var command = try Verypollctl.parseAsRoot(try ProgramArguments.afterName())
    try command.run()
} catch let failure as Failure {
    if !failure.message.isEmpty { Console.printError(failure.lines) }
    status = failure.exitStatus
} catch let error as ProgramArgumentError {
    writeError("verypollctl: \(error)")
    status = ExitStatus.usage.rawValue
} catch {
    let message = DisplayText.lines(of: Verypollctl.fullMessage(for: error))
    if Verypollctl.exitCode(for: error).isSuccess {
        // The message is the help or the version, which the user asked for.
        do {
            try Console.print(message)
        } catch {
            writeError("verypollctl: cannot write: \(error)")
            status = ExitStatus.failed.rawValue
        }
    } else {
        Console.printError(message)
        status = ExitStatus.usage.rawValue
    }
}
exit(status)
