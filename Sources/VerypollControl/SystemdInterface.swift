internal import Varlink

/// The interface `io.systemd.service`, which the daemons of systemd have in common.
package enum SystemdInterface {
    /// The name of the interface.
    package static let name = "io.systemd.service"

    /// The methods of the interface.
    package enum Method: String, CaseIterable, Sendable {
        case ping = "io.systemd.service.Ping"
        case reload = "io.systemd.service.Reload"
        case setLogLevel = "io.systemd.service.SetLogLevel"
    }

    /// The description of the interface.
    package static let description = """
        # What services of systemd have in common.
        interface io.systemd.service

        # Answers at once, which shows that the service is alive.
        method Ping() -> ()

        # Reads the configuration's file again, as io.verypoll.Daemon.Reload does, with its errors.
        method Reload() -> ()

        # Sets the least level that is logged, until the service ends: a number of syslog(3), from
        # 0, emergencies alone, to 7, everything.
        method SetLogLevel(level: int) -> ()

        """
}

/// The least level that is to be logged: the parameters of `SetLogLevel`.
package struct LogLevelSetting: CallParameters, Codable, Hashable {
    /// The numbers that levels have in syslog(3).
    package static let levels = 0...7

    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case level
    }

    package var level: Int

    /// Makes the parameters of a level.
    package init(level: Int) {
        self.level = level
    }
}
