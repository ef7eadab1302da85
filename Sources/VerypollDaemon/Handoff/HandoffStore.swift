internal import Logging
internal import Synchronization
internal import SystemPackage
internal import Systemd
internal import Verypoll
internal import VerypollConfiguration
internal import VerypollServer

/// What the next process of the service gets from this one, by the manager's descriptor store.
///
/// Listening sockets are in the store from the moment they are bound, so that a process that is
/// killed loses none of them; sessions are put there when the process ends for a restart.
final class HandoffStore: SocketKeeper {
    /// What sessions are stored by.
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

    /// Makes what is to be shared by all who leave something.
    init(_ store: DescriptorStore = DescriptorStore(), logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Whether this process ends so that the next can begin: what is stored stays then.
    var isForRestart: Bool {
        get { isComing.load(ordering: .relaxed) }
        set { isComing.store(newValue, ordering: .relaxed) }
    }

    /// Whether this process has taken the place of the one before.
    ///
    /// Until then it may still fail to start, and nothing that it was passed is taken out of the
    /// store, so that the next process gets the same.
    var hasBegun: Bool {
        get { isBegun.load(ordering: .relaxed) }
        set { isBegun.store(newValue, ordering: .relaxed) }
    }

    /// How many listening sockets are in the store.
    var socketCount: Int { storedCount.load(ordering: .relaxed) }

    /// How many of them the process before has left there.
    var inheritedCount: Int { adoptedCount.load(ordering: .relaxed) }

    /// How many descriptors the store can take besides the listening sockets.
    var room: Int { max(0, store.capacity - socketCount) }

    /// Leaves a listening socket in the store for as long as the result lives.
    ///
    /// - Returns: `nil` if the store has no room; then it ends with this process.
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

    /// Leaves a listening socket in the store for as long as it lives.
    func keep(_ socket: ListeningSocket, of listener: String) {
        socket.keep { keep(socket.descriptor, at: socket.place, of: listener) }
    }

    /// Goes on keeping a socket that the process before has left in the store.
    ///
    /// One that retires is not counted as taken over.
    func adopt(_ name: String, isCounted: Bool = true) -> StoredSocket {
        if isCounted { adoptedCount.add(1, ordering: .relaxed) }
        return entry(name)
    }

    private func entry(_ name: String) -> StoredSocket {
        storedCount.add(1, ordering: .relaxed)
        return StoredSocket(name: name, keeper: self)
    }

    /// Takes a socket out of the store, unless the next process is to have it.
    func release(_ name: String) {
        storedCount.subtract(1, ordering: .relaxed)
        if hasBegun, !isForRestart { forget(name) }
    }

    /// Leaves something in the store, for which the caller has found that there is room.
    ///
    /// - Returns: Whether the manager was told.
    func store(_ descriptor: FileDescriptor, named name: String) -> Bool {
        tell { () throws(Errno) in try store.add([descriptor], named: name) }
    }

    /// Takes something out of the store.
    func forget(_ name: String) {
        tell { () throws(Errno) in try store.remove(named: name) }
    }

    /// Waits until the manager has done what it was told.
    func settle(within limit: Duration = .seconds(10)) {
        guard store.capacity > 0 else { return }
        tell { () throws(Errno) in try store.barrier(within: limit) }
    }

    /// Tells the manager something; if that fails, the log says so.
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

    /// What a socket is stored by: the address as the configuration has it, and what tells apart
    /// all sockets of all processes at it.
    ///
    /// - Returns: `nil` if that is more than systemd takes.
    fileprivate static func name(
        of address: ListenAddress,
        listener: String,
        number: Int
    ) -> String? {
        let start = prefix(of: address, listener: listener)
        let name = "\(start)\(MonotonicClock.nanoseconds()).\(number)"
        return name.utf8.count <= 255 ? name : nil
    }

    /// Whether something in the store is a listening socket.
    static func isName(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// What the names of all sockets at an address begin with.
    ///
    /// Where the kernel chooses the port, several listeners may have the same address.
    static func prefix(of address: ListenAddress, listener: String) -> String {
        if case .ip(let ip) = address, ip.port == 0 {
            return "\(prefix)\(escaped("\(address) \(listener)")) "
        }
        return "\(prefix)\(escaped(address.description)) "
    }

    /// A text of the characters that systemd takes, and without blanks.
    private static func escaped(_ original: String) -> String {
        let plain = UInt8(ascii: "!")...UInt8(ascii: "~")
        var text = ""
        for byte in original.utf8 {
            // A colon separates names, and is in nearly every address; systemd takes no others.
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
