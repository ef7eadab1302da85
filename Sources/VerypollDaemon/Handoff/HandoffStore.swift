internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// The service manager's descriptor store, in which this process leaves sockets and sessions to the
/// next process of the service.
///
/// Listening sockets are stored as soon as they listen, so none is lost if the process is killed.
/// Sessions are stored when the process stops for a restart.
final class HandoffStore: SocketKeeper {
    /// The name of session bundles in the store.
    static let sessionsName = "verypolld sessions"
    /// The name of the ``HandoffLedger`` in the store while sessions are handed off.
    static let ledgerName = "verypolld ledger"

    let store: DescriptorStore
    private let logger: Logger
    private let storedCount = Atomic(0)
    private let adoptedCount = Atomic(0)
    private let lastNumber = Atomic(0)
    private let isComing = Atomic(false)
    private let isBegun = Atomic(false)

    /// Creates the store.
    ///
    /// Everything in this process that hands off descriptors uses the same one.
    init(_ store: DescriptorStore = DescriptorStore(), logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Whether this process stops for a restart, so that everything stored stays in the store.
    var isForRestart: Bool {
        get { isComing.load(ordering: .relaxed) }
        set { isComing.store(newValue, ordering: .relaxed) }
    }

    /// Whether this process has taken over from the previous one.
    ///
    /// Until then, this process may still fail to start. Nothing that it received is removed from
    /// the store, so the next process receives the same.
    var hasBegun: Bool {
        get { isBegun.load(ordering: .relaxed) }
        set { isBegun.store(newValue, ordering: .relaxed) }
    }

    /// The number of listening sockets in the store.
    var socketCount: Int { storedCount.load(ordering: .relaxed) }

    /// The number of listening sockets that were restored from the previous process.
    var inheritedCount: Int { adoptedCount.load(ordering: .relaxed) }

    /// The number of descriptors that fit into the store in addition to the listening sockets.
    var room: Int { max(0, store.capacity - socketCount) }

    /// Keeps a listening socket in the store until the returned value is released.
    ///
    /// - Returns: `nil` if the socket could not be stored; it then closes with this process.
    func keep(
        _ socket: FileDescriptor,
        at address: ListenAddress,
        of listener: String
    ) -> StoredSocket? {
        let number = lastNumber.add(1, ordering: .relaxed).newValue
        let name = StoredSocket.name(of: address, listener: listener, number: number)
        guard let name, room > 0 else { return nil }
        guard tell({ () throws(Errno) in try store.add([socket], named: name) }) else { return nil }
        return entry(name)
    }

    /// Keeps a listening socket in the store for as long as the socket exists.
    func keep(_ socket: ListeningSocket, of listener: String) {
        socket.keep { keep(socket.descriptor, at: socket.place, of: listener) }
    }

    /// Continues to keep a socket that the previous process stored.
    ///
    /// A retiring socket is not counted as restored; `isCounted` is `false` for it.
    func adopt(_ name: String, isCounted: Bool = true) -> StoredSocket {
        if isCounted { adoptedCount.add(1, ordering: .relaxed) }
        return entry(name)
    }

    private func entry(_ name: String) -> StoredSocket {
        storedCount.add(1, ordering: .relaxed)
        return StoredSocket(name: name, keeper: self)
    }

    /// Removes a socket from the store, unless the next process is to receive it.
    func release(_ name: String) {
        storedCount.subtract(1, ordering: .relaxed)
        if hasBegun, !isForRestart { forget(name) }
    }

    /// Adds a descriptor to the store.
    ///
    /// The caller has checked that there is room.
    ///
    /// - Returns: Whether the manager was notified.
    func store(_ descriptor: FileDescriptor, named name: String) -> Bool {
        tell { () throws(Errno) in try store.add([descriptor], named: name) }
    }

    /// Removes what is stored under a name.
    func forget(_ name: String) {
        tell { () throws(Errno) in try store.remove(named: name) }
    }

    /// Waits until the manager has processed all notifications.
    func settle(within limit: Duration = .seconds(10)) {
        guard store.capacity > 0 else { return }
        tell { () throws(Errno) in try store.barrier(within: limit) }
    }

    /// Notifies the manager; a failure is logged.
    @discardableResult
    private func tell(_ notify: () throws(Errno) -> Void) -> Bool {
        do throws(Errno) {
            try notify()
            return true
        } catch {
            logger.error(.managerUnreachable, "cannot use systemd's descriptor store: \(error)")
            return false
        }
    }
}

extension StoredSocket {
    private static let prefix = "verypolld listener "

    /// Returns the name to store a socket under: the configured address, and a suffix that makes
    /// the name unique among all sockets of all processes.
    ///
    /// - Returns: `nil` if the name is longer than systemd allows.
    fileprivate static func name(
        of address: ListenAddress,
        listener: String,
        number: Int
    ) -> String? {
        let start = prefix(of: address, listener: listener)
        let name = "\(start)\(MonotonicClock.nanoseconds()).\(number)"
        return name.utf8.count <= 255 ? name : nil
    }

    /// Returns whether a name in the store is that of a listening socket.
    static func isName(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Returns the beginning of the names of all sockets at an address.
    ///
    /// If the kernel chooses the port, the text includes the listener's name, because several
    /// listeners may have the same address.
    static func prefix(of address: ListenAddress, listener: String) -> String {
        if address.isChosenByKernel {
            return "\(prefix)\(escaped("\(address) \(listener)")) "
        }
        return "\(prefix)\(escaped(address.description)) "
    }

    /// Returns the text with all spaces escaped, and all characters that systemd does not allow in
    /// names.
    private static func escaped(_ original: String) -> String {
        let plain = UInt8(ascii: "!")...UInt8(ascii: "~")
        var text = ""
        for byte in original.utf8 {
            // systemd separates names with colons. Nearly every address has one, so its escape is
            // short.
            if byte == UInt8(ascii: ":") {
                text += "|"
            } else if plain.contains(byte), byte != UInt8(ascii: "%"), byte != UInt8(ascii: "|") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + String(byte, radix: 16)
            }
        }
        return text
    }
}
