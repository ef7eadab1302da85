// What the file may say, but this version of verypolld can't do yet.

extension Configuration {
    /// Reports the settings that later versions will serve.
    func checkSupport(reportingTo problems: ProblemList) {
        func refuse(_ what: String, at pointer: JSONPointer) {
            problems.report(pointer, "\(what) is not in this version of verypolld yet")
        }
        if restart.keepSessions {
            refuse("keeping sessions", at: JSONPointer(["restart", "keepSessions"]))
        }
    }
}
