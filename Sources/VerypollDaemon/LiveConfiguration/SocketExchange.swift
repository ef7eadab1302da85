internal import Logging
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// An atomic change of the listening sockets, from one configuration to the next or from the
/// previous process to this one.
///
/// 1. Listeners claim the sockets that they keep; see ``claim(_:for:limit:)``.
/// 2. New sockets are bound, but do not listen yet. An existing socket of the daemon that has an
///    overlapping address shares its port until the commit, because bind(2) would fail otherwise.
/// 3. ``commit()`` makes the new sockets listen. The sockets that they replace get no more
///    connections and retire: workers serve their backlogs for ``retirement`` before they close.
///
/// An exchange that is released without a commit restores the sockets.
final class SocketExchange {
    /// The time for which workers accept from a replaced socket.
    ///
    /// A handshake that began before the commit may still complete. The time covers a round trip
    /// and a lost packet, which the kernel sends again after a second.
    static let retirement = Duration.seconds(3)

    struct Opened {
        let socket: ListeningSocket
        let configuration: ListenerConfiguration
    }

    /// A socket whose `SO_REUSEPORT` was changed.
    struct Shared {
        /// The owner of the descriptor, which keeps it open.
        let owner: AnyObject
        let descriptor: FileDescriptor
        let isShared: Bool
        /// The value of the option after the commit.
        let staysShared: Bool
    }

    let handoffStore: HandoffStore
    let logger: Logger
    /// Sockets of the previous process that no listener has claimed.
    var inherited: [InheritedSocket] = []
    /// The names of stored sockets of the previous process that cannot be used.
    var useless: [String] = []
    /// The sockets passed by systemd's socket units.
    private var activatedSockets: [(name: String, bound: BoundAddress)] = []
    /// Sockets of this process that no listener keeps.
    var former: [ListeningSocket] = []
    /// The sockets of ``former`` that have a port, by port.
    private var formerByPort: [UInt16: [(socket: ListeningSocket, bound: BoundAddress)]] = [:]
    var opened: [Opened] = []
    var claimed: [Opened] = []
    var shared: [Shared] = []
    private var sharing: Set<ObjectIdentifier> = []
    var retiring: [ListeningSocket] = []
    private var isCommitted = false

    /// Begins an exchange.
    init(_ handoffStore: HandoffStore, logger: Logger) {
        self.handoffStore = handoffStore
        self.logger = logger
    }

    deinit {
        guard !isCommitted else { return }
        for entry in shared {
            try? StoredSocketState.setSharesPort(entry.isShared, of: entry.descriptor)
        }
    }

    /// Takes the sockets that the previous process stored, and notes those of socket units.
    func inherit(from activated: inout ActivatedSockets) {
        for socket in activated.take(where: StoredSocket.isName).sorted(by: { $0.name < $1.name }) {
            do throws(Errno) {
                inherited.append(try InheritedSocket(socket))
            } catch {
                useless.append(socket.name)
            }
        }
        for socket in activated.sockets {
            guard let copy = try? socket.descriptor.duplicate(),
                let unit = try? InheritedSocket(
                    ActivatedSocket(name: socket.name, descriptor: copy)
                )
            else { continue }
            if let bound = unit.bound { activatedSockets.append((socket.name, bound)) }
        }
    }

    /// Adds sockets of this process that no listener keeps.
    func offer(_ sockets: [ListeningSocket]) {
        former += sockets
        for socket in sockets {
            if let bound = socket.bound {
                formerByPort[bound.port, default: []].append((socket, bound))
            }
        }
    }

    /// Claims up to `limit` sockets of the previous process for an address of a listener.
    func claim(
        _ address: ListenAddress,
        for listener: ListenerConfiguration,
        limit: Int
    ) -> [ListeningSocket] {
        let prefix = StoredSocket.prefix(of: address, listener: listener.name)
        var found: [ListeningSocket] = []
        inherited.removeAll { socket in
            guard found.count < limit, socket.name.hasPrefix(prefix),
                !StoredSocketState.turnsConnectionsAway(socket.descriptor),
                listener.accepts(socket, at: address)
            else { return false }
            let worker = listener.socket.reusePort ? found.count : nil
            guard let own = listener.adopt(socket, at: address, worker: worker, handoffStore) else {
                useless.append(socket.name)
                return true
            }
            // More sockets can be bound at the address only if this one has the option as well.
            if own.bound != nil {
                share(own, own.descriptor, now: listener.socket.reusePort)
            }
            found.append(own)
            claimed.append(Opened(socket: own, configuration: listener))
            return true
        }
        return found
    }

    /// Binds one socket for each worker at an address, or one for all workers.
    ///
    /// - Throws: See bind(2).
    func bind(
        _ address: SocketAddress,
        at place: ListenAddress,
        for listener: ListenerConfiguration,
        workers: Range<Int>
    ) throws(Errno) -> [ListeningSocket] {
        guard !workers.isEmpty else { return [] }
        let isOnlyV6 = listener.socket.isOnlyV6(at: address.ip)
        let target = BoundAddress(address, isOnlyV6: isOnlyV6)
        var isShared = false
        for socket in inherited where socket.bound?.overlaps(target) == true {
            share(socket, socket.descriptor)
            isShared = true
        }
        for (socket, bound) in formerByPort[target.port] ?? [] where bound.overlaps(target) {
            share(socket, socket.descriptor)
            isShared = true
        }
        let sockets: [ListeningSocket]
        do throws(Errno) {
            sockets = try listener.bind(address, at: place, workers, sharesPort: isShared)
        } catch .addressInUse where handoffStore.store.capacity > 0 && !isActivated(target) {
            // The manager may still hold sockets that this process has released.
            handoffStore.settle(within: .seconds(1))
            sockets = try listener.bind(address, at: place, workers, sharesPort: isShared)
        }
        for socket in sockets { note(socket, of: listener) }
        return sockets
    }

    /// Notes a socket that was bound.
    func note(_ socket: ListeningSocket, of listener: ListenerConfiguration) {
        opened.append(Opened(socket: socket, configuration: listener))
    }

    /// Returns the name of systemd's socket that overlaps with an address; `nil` if there is none.
    func unit(at address: SocketAddress, isOnlyV6: Bool) -> String? {
        let target = BoundAddress(address, isOnlyV6: isOnlyV6)
        return activatedSockets.first { $0.bound.overlaps(target) }?.name
    }

    private func isActivated(_ target: BoundAddress) -> Bool {
        activatedSockets.contains { $0.bound.overlaps(target) }
    }

    /// Notes the sockets of systemd's units that this process holds.
    func noteActivated(_ sockets: [ListeningSocket]) {
        for socket in sockets {
            guard case .systemd(let name) = socket.place, let bound = socket.bound else { continue }
            activatedSockets.append((name, bound))
        }
    }

    /// Makes a socket share its port.
    ///
    /// If `isOn` is set, the socket keeps that setting after the commit. Otherwise, it shares its
    /// port only until the commit.
    private func share(_ owner: AnyObject, _ descriptor: FileDescriptor, now isOn: Bool? = nil) {
        guard sharing.insert(ObjectIdentifier(owner)).inserted else { return }
        let isShared = StoredSocketState.sharesPort(descriptor)
        shared.append(
            Shared(
                owner: owner,
                descriptor: descriptor,
                isShared: isShared,
                staysShared: isOn ?? false
            )
        )
        // If this fails, bind(2) fails as well and reports why.
        if !isShared, isOn != false {
            try? StoredSocketState.setSharesPort(true, of: descriptor)
        }
    }

    /// Takes the unclaimed sockets that overlap with a listener's socket, which replaces them.
    func retire(
        besides sockets: [(listener: String, socket: ListeningSocket)]
    ) -> [(listener: String, socket: ListeningSocket)] {
        var heirs: [UInt16: [(listener: String, bound: BoundAddress)]] = [:]
        for (listener, socket) in sockets {
            if let bound = socket.bound { heirs[bound.port, default: []].append((listener, bound)) }
        }
        func heir(of place: BoundAddress) -> String? {
            heirs[place.port]?.first { $0.bound.overlaps(place) }?.listener
        }
        var found: [(listener: String, socket: ListeningSocket)] = []
        for socket in former {
            if let bound = socket.bound, let heir = heir(of: bound) {
                found.append((heir, socket))
            }
        }
        inherited.removeAll { socket in
            guard case .ip(let address, let bound) = socket.place, let heir = heir(of: bound),
                let kind = socket.take()
            else { return false }
            let retired = ListeningSocket(
                kind,
                place: .ip(address),
                address: socket.address,
                worker: nil,
                stored: handoffStore.adopt(socket.name, isCounted: false)
            )
            found.append((heir, retired))
            return true
        }
        retiring = found.map(\.socket)
        return found
    }

    /// Makes the new sockets listen, and turns connections away from the sockets that they replace.
    ///
    /// - Throws: `ListenerError` if a socket cannot listen. In that case, release this value.
    func commit() throws(ListenerError) {
        try applyFileAccess()
        for entry in opened {
            do throws(Errno) {
                try entry.socket.apply(entry.configuration)
            } catch {
                throw ListenerError(
                    listener: entry.configuration.name,
                    address: entry.socket.place,
                    reason: "\(error)"
                )
            }
        }
        isCommitted = true
        for entry in opened {
            let isShared = entry.configuration.socket.reusePort
            handoffStore.keep(entry.socket, of: entry.configuration.name)
            if !isShared { setSharesPort(false, entry.socket.descriptor) }
        }
        for entry in shared { setSharesPort(entry.staysShared, entry.descriptor) }
        for socket in retiring {
            do throws(Errno) {
                try StoredSocketState.turnConnectionsAway(from: socket.descriptor)
                socket.leaveStore()
            } catch {
                // The socket still gets connections until it is closed.
                logger.debug("cannot turn connections away from \(socket.address): \(error)")
            }
        }
    }

    /// Sets the mode, owner and group of the claimed sockets' files as configured.
    private func applyFileAccess() throws(ListenerError) {
        for entry in claimed {
            do throws(FileAccessError) {
                try entry.socket.applyFileAccess(entry.configuration)
            } catch {
                throw ListenerError(
                    listener: entry.configuration.name,
                    address: entry.socket.place,
                    reason: error.reason,
                    keys: ["socket", error.key]
                )
            }
        }
    }

    private func setSharesPort(_ isShared: Bool, _ descriptor: FileDescriptor) {
        guard StoredSocketState.sharesPort(descriptor) != isShared else { return }
        do throws(Errno) {
            try StoredSocketState.setSharesPort(isShared, of: descriptor)
        } catch {
            logger.error("cannot set SO_REUSEPORT of a listening socket: \(error)")
        }
    }
}
