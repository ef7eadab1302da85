package import Logging

/// The kinds of events that operators search the journal for or attach alerts to.
///
/// Each kind has an identifier that is never used for anything else. `journalctl MESSAGE_ID=…`
/// finds the entries of a kind even if their wording changes. `journalctl -x` explains them with
/// the text in `systemd/verypolld.catalog`.
package enum JournalMessageID: String, CaseIterable, Sendable {
    // The daemon's life.
    case ready = "b3c784965872488db21a282f09be041e"
    case listening = "9a6d41cf62d345e685ae037787026877"
    case stopping = "6a684193752b49979c40931235974548"
    case sessionsClosed = "54a216c819ab4f9fa9bec41e569224b1"
    case stopped = "ed003edfb76343dea8f7f776f43ff613"
    case idleExit = "6a86c86a210b4268a04d085fe3674ed4"
    case failed = "153d4d9eb0224b6b8e58784af9dcc9bf"
    case managerUnreachable = "d1f98f7bf9334715a096f8256b4394c2"
    case controlSocketFailed = "eeff85c2825842b3bb35e38bd78364c8"

    // Its configuration.
    case configurationRefused = "75d443f1e0754c4c8b85afd0549cbf39"
    case reloaded = "d36d11d051a946b384c0e6dfc3dd981e"
    case reloadRefused = "d2f14c86312845afb493bce8be38da42"

    // Commands of operators.
    case draining = "46cd34b18b3743cd8227040546f16541"
    case resumed = "0de7686652af4a6b90b6a9127df9a938"
    case serverSet = "013a2524bfcf4e92b3e78e473a6f7fa2"
    case sessionsKilled = "d634e4d3291443dea35f0fe2a930cb91"
    case logLevelSet = "2414de7eda3f4e978037a806400e8f3a"
    case callRefused = "9c99d16d7af1404bad9315aa6a5ed7ea"

    // A restart that keeps sockets or sessions.
    case handedOff = "4a6bad521c80445c9368537f6b84349c"
    case takenOver = "501d55506cd34227ab2bf3ebaad789e1"
    case takeOverIncomplete = "d1bddef504cc40b287bf26fb8cd0681e"

    // Listeners.
    case listenerPaused = "e28f40c3e8384b74a1ebd73ae4fa0e7d"
    case listenerResumed = "a500720d5fda47fa9c537e8614388508"
    case outOfResources = "c7ca89c0a0a249a7acd089d48ec489ce"
    case clientsRefused = "88aeaa3b56dc4744bd8bd6f96f408128"
    case socketUnclaimed = "cd2a7c7b99b34505bd96b5d0ffefb1cc"
    case storedSocketClosed = "d7c3a4f1b2e945f0a0c65d1b7a9e3f28"

    // Servers of upstreams.
    case serverDown = "e5af46a87ec04e01b1119147b967f15c"
    case serverUp = "f1df75ce078e48e48a0a6486c9079718"
    case serverEjected = "f71bd3165ab340efb3427fbc491fa5d3"
    case serverReadmitted = "097374a836aa4f17b5a2780a82e7a1ec"
    case serverNotFound = "64e0148d57e9489a8bad9983393d69d1"
    case serverFound = "7b15fcf0eb8243048efc591ff3bac604"
    case serviceNotFound = "f584784bca244f0c8c79899ef31f4b81"
    case serviceFound = "5593f6130d564485a44b6df1e9e7b4a3"
    case serviceNotOffered = "f6326e08c8274eb1b5ec4ca9b1daf445"
    case checkFailed = "4efdf1eef2bb4c7bb87f0f54e689cbcc"
    case checkHindered = "84c62ac0578a47df91835bc95a4e6dcc"

    // Sessions.
    case sessionEnded = "5471f2c9247e4b168a71a5798737adae"
    case sessionsUnlogged = "996f0d4fdb7745b7b4199e5981265520"
}

extension JournalMessageID {
    /// The metadata key that carries the identifier to the journal.
    package static let metadataKey = "messageID"
}

extension Logger {
    /// Logs an event with the identifier of its kind.
    package func log(
        level: Logger.Level,
        _ kind: JournalMessageID,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        var fields: Logger.Metadata {
            var all = metadata()
            all[JournalMessageID.metadataKey] = .string(kind.rawValue)
            return all
        }
        log(level: level, message(), metadata: fields)
    }

    /// Logs a routine event.
    package func info(
        _ kind: JournalMessageID,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        log(level: .info, kind, message(), metadata: metadata())
    }

    /// Logs a normal event that operators want to know about.
    package func notice(
        _ kind: JournalMessageID,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        log(level: .notice, kind, message(), metadata: metadata())
    }

    /// Logs a problem that an operator should look at.
    package func warning(
        _ kind: JournalMessageID,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        log(level: .warning, kind, message(), metadata: metadata())
    }

    /// Logs a failure.
    package func error(
        _ kind: JournalMessageID,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        log(level: .error, kind, message(), metadata: metadata())
    }
}

extension Logger.MetadataValue {
    /// Makes a value that logs in JSON show as a number.
    package static func number(_ value: some BinaryInteger & Sendable) -> Logger.MetadataValue {
        .stringConvertible(Int(clamping: value))
    }
}
