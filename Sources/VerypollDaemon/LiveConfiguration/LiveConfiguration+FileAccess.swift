internal import Logging
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollServer

extension LiveConfiguration {
    /// Changes the mode, owner and group of the files of kept sockets to those of the new
    /// configuration.
    ///
    /// - Parameter former: The previous configuration, whose access the files have now.
    /// - Throws: `ListenerError` if a file's access cannot be changed. All files are then restored.
    func applyFileAccess(after former: LiveConfiguration) throws(ListenerError) {
        var undo: [(socket: ListeningSocket, former: ListenerConfiguration)] = []
        let changed = listenersChanged(from: former)
        let owners = changed.isEmpty ? [:] : former.owners
        for entry in changed {
            for socket in entry.sockets {
                guard let owner = owners[ObjectIdentifier(socket)],
                    !owner.socket.hasSameAccess(as: entry.configuration.socket)
                else { continue }
                undo.append((socket, owner))
                do throws(FileAccessError) {
                    try socket.applyFileAccess(entry.configuration)
                } catch {
                    // The former access was granted before, so it can be restored.
                    for (socket, former) in undo { try? socket.applyFileAccess(former) }
                    throw ListenerError(
                        listener: entry.name,
                        address: socket.place,
                        reason: error.reason,
                        keys: ["socket", error.key]
                    )
                }
            }
        }
    }

    /// Sets the options of changed listeners' sockets that can be changed while they are open.
    ///
    /// - Parameters:
    ///   - former: The previous configuration.
    ///   - logger: The logger for sockets whose options cannot be set.
    func applySocketOptions(after former: LiveConfiguration, logger: Logger) {
        for entry in listenersChanged(from: former) {
            for socket in entry.sockets {
                do throws(Errno) {
                    try socket.apply(entry.configuration)
                } catch {
                    logger.error(
                        "cannot set the options of a socket of listener \(entry.name): \(error)",
                        metadata: ["listener": "\(entry.name)", "address": "\(socket.address)"]
                    )
                }
            }
        }
    }

    /// The configuration of each socket's listener.
    private var owners: [ObjectIdentifier: ListenerConfiguration] {
        var owners: [ObjectIdentifier: ListenerConfiguration] = [:]
        for entry in listeners {
            for socket in entry.sockets { owners[ObjectIdentifier(socket)] = entry.configuration }
        }
        return owners
    }
}

extension SocketOptions {
    fileprivate func hasSameAccess(as other: SocketOptions) -> Bool {
        (mode, owner, group) == (other.mode, other.owner, other.group)
    }
}
