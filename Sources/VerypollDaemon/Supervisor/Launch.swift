internal import Glibc
package import Logging
internal import SystemPackage
internal import Systemd

/// The options of the command line.
package struct LaunchOptions: Sendable {
    /// The path of the control socket, which overrides the configured one.
    package var socketPath: String?
    /// The log level, which overrides the configured one.
    package var logLevel: Logger.Level?

    /// Creates options.
    package init(
        socketPath: String? = nil,
        logLevel: Logger.Level? = nil
    ) {
        self.socketPath = socketPath
        self.logLevel = logLevel
    }
}

extension FilePath {
    /// The path of the control socket, unless the command line or the configuration sets one.
    ///
    /// The path is `control.sock` in the runtime directory that systemd created for the service.
    /// Without such a directory, it is in `$XDG_RUNTIME_DIR/verypolld` if the user is not root and
    /// the variable is set, and in `/run/verypolld` otherwise.
    static var defaultControlSocket: FilePath {
        func variable(_ name: String) -> String? {
            unsafe getenv(name).map { unsafe String(cString: $0) }
        }
        // systemd separates the directories of the unit with colons.
        let given = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first.map(String.init)
        let own = geteuid() == 0 ? nil : variable("XDG_RUNTIME_DIR").map { $0 + "/verypolld" }
        return FilePath(given ?? own ?? "/run/verypolld").appending("control.sock")
    }
}
