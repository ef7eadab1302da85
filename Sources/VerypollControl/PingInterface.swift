/// The part of `io.systemd.service`, the interface that systemd's own daemons share, that this
/// daemon has.
package enum PingInterface {
    /// The name of the interface.
    package static let name = "io.systemd.service"

    /// The method that answers nothing, at once.
    package static let ping = "io.systemd.service.Ping"

    /// The description of what is there of the interface.
    package static let description = """
        # What services of systemd have in common.
        interface io.systemd.service

        # Answers at once, which shows that the service is alive.
        method Ping() -> ()

        """
}
