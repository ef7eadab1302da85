internal import Varlink

/// The interface `io.systemd.service`, which systemd's own daemons have too.
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
        # The common interface of services that systemd manages.
        interface io.systemd.service

        # Answers at once, to show that the service is alive.
        method Ping() -> ()

        # Reloads the configuration file, as io.verypoll.Daemon.Reload does, with the same errors.
        method Reload() -> ()

        # Sets the lowest level that is logged, as a number of syslog(3): from 0 (only emergencies)
        # to 7 (everything). The level applies until the service stops, or until a reload changes
        # log.level.
        method SetLogLevel(level: int) -> ()

        """
}

/// The parameters of `SetLogLevel`.
package struct LogLevelSetting: CallParameters, Codable, Hashable {
    /// The numbers of the levels in syslog(3).
    package static let levels = 0...7

    /// The names of the parameters.
    package enum CodingKeys: CodingKey, CaseIterable {
        case level
    }

    package var level: Int

    /// Makes the parameters from a level.
    package init(level: Int) {
        self.level = level
    }
}
