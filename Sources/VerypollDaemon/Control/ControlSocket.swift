internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The socket on which the daemon is asked and steered: systemd's, or the daemon's own.
struct ControlSocket: ~Copyable {
    /// What systemd has to call it, as the specification of Varlink says; no listener may.
    static let systemdName = ListenAddress.reservedName

    /// The socket, listening.
    let listener: UnixListener

    /// Its file where the daemon made it, to be removed at the end; that of systemd is systemd's.
    let file: SocketFile?

    /// The group of its file, whether or not the daemon made it; an abstract name has none.
    let group: UInt32?

    /// Takes the socket that systemd passed or, where it passed none, binds one.
    ///
    /// - Parameters:
    ///   - activated: The sockets of systemd, of which this one is taken.
    ///   - path: Where the file is to be if there has to be one.
    ///   - configuration: What else that file is to be like.
    /// - Throws: What is wrong, to be shown to the operator.
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
                description: "systemd passed \(sockets.count) sockets named varlink; the control"
                    + " socket is one, so write one ListenStream= under that name"
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
                description: "systemd's socket named varlink is no listening Unix stream socket,"
                    + " which the control socket is; use ListenStream= with a path: \(error)"
            )
        }
    }

    private static func fileGroup(of listener: borrowing UnixListener) throws(Errno) -> UInt32? {
        guard case .path(let path) = try listener.localAddress() else { return nil }
        return try Stat(path, followTargetSymlink: false).groupID.rawValue
    }
}
