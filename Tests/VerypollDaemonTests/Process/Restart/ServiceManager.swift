internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import TestSupport
internal import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

/// A stand-in for the service manager: it keeps the descriptors that a daemon stores, and passes
/// them to the next one.
///
/// Like the manager, it drops descriptors beyond its limit. It does not compare descriptors.
final class ServiceManager: Sendable {
    /// How many descriptors it keeps.
    let capacity: Int

    private let directory: TemporaryDirectory
    private let stored = Mutex<[PassedSocket]>([])
    private let isEnding = Atomic(false)
    private let work = Mutex<ConcurrentWork<Void>?>(nil)

    /// Starts to listen.
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

    /// Stops, and closes the stored descriptors.
    func end() throws {
        isEnding.store(true, ordering: .relaxed)
        try work.withLock { try $0?.join() }
        for socket in stored.withLock({ $0 }) { try? socket.descriptor.close() }
        stored.withLock { $0 = [] }
    }

    /// The environment variables for a daemon.
    var environment: [String: String] {
        ["NOTIFY_SOCKET": directory.appending("notify"), "FDSTORE": String(capacity)]
    }

    /// The sockets for the next daemon.
    var sockets: [PassedSocket] { stored.withLock { $0 } }

    /// The sorted names of the stored descriptors, without the numbers of listening sockets.
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
        // A barrier's descriptor is closed with the ancillary data, which answers the barrier.
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
