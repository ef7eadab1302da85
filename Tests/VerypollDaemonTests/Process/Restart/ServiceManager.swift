internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

/// What stands in for the service manager: it keeps the descriptors that a daemon stores, and hands
/// them to the next one.
///
/// As the manager does, it drops what is over its limit, and compares no two of them.
final class ServiceManager: Sendable {
    /// How many descriptors it keeps.
    let capacity: Int

    private let directory: TemporaryDirectory
    private let stored = Mutex<[PassedSocket]>([])
    private let isEnding = Atomic(false)
    private let work = Mutex<ConcurrentWork<Void>?>(nil)

    /// Begins to listen.
    init(capacity: Int = 512) throws {
        self.capacity = capacity
        directory = try TemporaryDirectory()
        let address = UnixAddress.path(FilePath(directory.appending("notify")))
        let socket = TransferBox(try UnixDatagram(binding: address))
        work.withLock { work in
            work = ConcurrentWork { [self] in
                guard let socket = socket.take() else { return }
                while !isEnding.load(ordering: .relaxed) { try receive(from: socket) }
            }
        }
    }

    /// Ends, and closes what it keeps.
    func end() throws {
        isEnding.store(true, ordering: .relaxed)
        try work.withLock { try $0?.join() }
        for socket in stored.withLock({ $0 }) { try? socket.descriptor.close() }
        stored.withLock { $0 = [] }
    }

    /// What a daemon is to have in its environment.
    var environment: [String: String] {
        ["NOTIFY_SOCKET": directory.appending("notify"), "FDSTORE": String(capacity)]
    }

    /// What the next daemon is passed.
    var sockets: [PassedSocket] { stored.withLock { $0 } }

    /// The names of what it keeps, without the numbers of listening sockets, sorted.
    var names: [String] {
        sockets.map { $0.name.split(separator: " ").prefix(3).joined(separator: " ") }.sorted()
    }

    private func receive(from socket: borrowing UnixDatagram) throws {
        var entry = pollfd(fd: socket.fileDescriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, 20)
        var ancillary = AncillaryData()
        var bytes: [UInt8] = []
        try bytes.append(addingCapacity: 4096) { output throws(Errno) in
            _ = try socket.receive(into: &output, ancillary: &ancillary)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? ""
        if lines.contains("FDSTORE=1") {
            while let descriptor = ancillary.takeDescriptor() { keep(descriptor.release(), name) }
        } else if lines.contains("FDSTOREREMOVE=1") {
            remove(name)
        }
        // The descriptor of a barrier is closed with the ancillary data, which is its answer.
    }

    private func keep(_ descriptor: FileDescriptor, _ name: String) {
        stored.withLock { stored in
            guard stored.count < capacity else { return _ = try? descriptor.close() }
            stored.append(PassedSocket(name: name, descriptor: descriptor))
        }
    }

    private func remove(_ name: String) {
        stored.withLock { stored in
            for socket in stored where socket.name == name { try? socket.descriptor.close() }
            stored.removeAll { $0.name == name }
        }
    }
}
