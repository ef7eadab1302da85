internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The control socket, passed by systemd or bound by the daemon.
struct ControlSocket: ~Copyable {
    /// The name that systemd must pass the socket under, according to the Varlink specification.
    ///
    /// No listener may use this name.
    static let systemdName = ListenAddress.reservedName

    /// The listening socket.
    let listener: UnixListener

    /// The socket's file, which the daemon removes at the end; `nil` if systemd passed the socket.
    let file: SocketFile?

    /// The group of the socket's file, regardless of who created it; `nil` for an abstract name.
    let group: UInt32?

    /// Takes the socket that systemd passed or, if there is none, binds one.
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
        let sockets = activated.take(named: Self.systemdName)
        guard let socket = sockets.first else {
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
            return
        }
        for another in sockets.dropFirst() { try another.close() }
        guard sockets.count == 1 else {
            throw LaunchError(
                description: "systemd passed \(sockets.count) sockets named varlink; expected one"
                    + " for the control socket (keep one ListenStream= with that name)"
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
                description: "systemd's socket named varlink is not a listening Unix stream socket:"
                    + " \(error); use ListenStream= with a path"
            )
        }
    }

    private static func fileGroup(of listener: borrowing UnixListener) throws(Errno) -> UInt32? {
        guard case .path(let path) = try listener.localAddress() else { return nil }
        return try Stat(path, followTargetSymlink: false).groupID.rawValue
    }
}
