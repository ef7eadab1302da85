internal import ArgumentParser
internal import Glibc

#if Net && OSExt
var status = ExitStatus.done
do {
    var command = try Verypollctl.parseAsRoot()
    try command.run()
} catch let failure as Failure {
    if !failure.message.isEmpty { writeError(failure.text) }
    status = failure.status
} catch {
    let message = Verypollctl.fullMessage(for: error)
    if Verypollctl.exitCode(for: error).isSuccess {
        print(message)  // It is the help or the version that was asked for.
    } else {
        writeError(message)
        status = .usage
    }
}
exit(status.rawValue)
#else
writeError("verypollctl was built without the traits Net and OSExt, which it needs")
exit(ExitStatus.failed.rawValue)
#endif
