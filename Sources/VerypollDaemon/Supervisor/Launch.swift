internal import Glibc
package import Logging
internal import SystemPackage
internal import Systemd

/// What the command line says.
package struct LaunchOptions: Sendable {
    /// The control socket in the place of the configured one.
    package var socketPath: String?
    /// The log level in the place of the configured one.
    package var logLevel: Logger.Level?

    /// Makes options of their parts.
    package init(
        socketPath: String? = nil,
        logLevel: Logger.Level? = nil
    ) {
        self.socketPath = socketPath
        self.logLevel = logLevel
    }
}

extension FilePath {
    /// Where the control socket is if neither the command line nor the file says so.
    ///
    /// `control.sock` in the runtime directory that systemd made for the service; else in
    /// `/run/verypolld` for root, and in `$XDG_RUNTIME_DIR/verypolld` for others who have that.
    static var defaultControlSocket: FilePath {
        func variable(_ name: String) -> String? {
            unsafe getenv(name).map { unsafe String(cString: $0) }
        }
        // The directories of the unit are separated by colons.
        let given = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first.map(String.init)
        let own = geteuid() == 0 ? nil : variable("XDG_RUNTIME_DIR").map { $0 + "/verypolld" }
        return FilePath(given ?? own ?? "/run/verypolld").appending("control.sock")
    }
}
