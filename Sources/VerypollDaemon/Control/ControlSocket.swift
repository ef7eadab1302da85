internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The sockets over which the daemon speaks Varlink.
struct ControlSockets: ~Copyable {
    /// The control socket.
    let control: ControlSocket
    /// The socket for systemd-report; `nil` if systemd passed none.
    let metrics: ControlSocket?

    /// Takes the sockets that systemd passed, and binds a control socket if systemd passed none.
    ///
    /// The parameters are those of ``ControlSocket/init(from:orBinding:_:)``.
    init(
        from activated: inout ActivatedSockets,
        orBinding path: FilePath,
        _ configuration: Configuration.Control
    ) throws {
        let metrics = try ControlSocket(named: ListenAddress.metricsName, from: &activated)
        let control = try ControlSocket(from: &activated, orBinding: path, configuration)
        self.metrics = metrics
        self.control = control
    }

    /// Logs which sockets systemd passed.
    func log(to logger: Logger) {
        if control.file == nil { logger.info("using the control socket passed by systemd") }
        if metrics != nil { logger.info("using the metrics socket passed by systemd") }
    }
}

/// The control socket, passed by systemd or bound by the daemon, or another socket that speaks
/// Varlink.
struct ControlSocket: ~Copyable {
    /// The listening socket.
    let listener: UnixListener

    /// The socket's file, which the daemon removes at the end; `nil` if systemd passed the socket.
    let file: SocketFile?

    /// The group of the socket's file, regardless of who created it; `nil` for an abstract name.
    let group: UInt32?

    /// Takes the control socket that systemd passed or, if there is none, binds one.
    ///
    /// - Parameters:
    ///   - activated: The sockets passed by systemd; the control socket is removed from them.
    ///   - path: The path to bind if systemd passed no control socket.
    ///   - configuration: The mode and the group of the file to create.
    /// - Throws: An error that tells the operator what is wrong.
    init(
        from activated: inout ActivatedSockets,
        orBinding path: FilePath,
        _ configuration: Configuration.Control
    ) throws {
        if let passed = try ControlSocket(named: ListenAddress.controlName, from: &activated) {
            self = passed
            return
        }
        let made = try FileSocket(
            binding: path,
            backlog: 64,
            access: FileAccess(
                mode: configuration.mode,
                owner: nil,
                group: configuration.group
            )
        )
        group = made.file.group
        var file: SocketFile?
        listener = made.split(file: &file)
        self.file = file
    }

    /// Takes the socket that systemd passed under a name, or returns `nil` if there is none.
    ///
    /// - Throws: An error that tells the operator what is wrong.
    init?(named name: String, from activated: inout ActivatedSockets) throws {
        let sockets = activated.take(named: name)
        guard let socket = sockets.first else { return nil }
        for another in sockets.dropFirst() { try another.close() }
        guard sockets.count == 1 else {
            throw LaunchError(
                description: "systemd passed \(sockets.count) sockets named \(name); expected one"
                    + " (keep one ListenStream= with that name)"
            )
        }
        do throws(Errno) {
            let adopted = try UnixListener(adopting: OwnedFD(adopting: socket))
            let group = try Self.fileGroup(of: adopted)
            self.group = group
            listener = adopted
            file = nil
        } catch {
            throw LaunchError(
                description: "systemd's socket named \(name) is not a listening Unix stream socket:"
                    + " \(error); use ListenStream= with a path"
            )
        }
    }

    private static func fileGroup(of listener: borrowing UnixListener) throws(Errno) -> UInt32? {
        guard case .path(let path) = try listener.localAddress() else { return nil }
        return try Stat(path, followTargetSymlink: false).groupID.rawValue
    }
}
