internal import Synchronization
package import SystemPackage

/// Descriptors that are held open, so that there are some for those who look after the daemon when
/// sessions have all others.
///
/// The kernel compares the *number* of a new descriptor with the limit, which may be lowered at any
/// time. So these are opened at the start, when numbers are low, and are no files of any use.
/// Lending one is closing it: the next descriptor of the process then has its number. Another
/// thread may be quicker; then the next is lent.
package final class DescriptorReserve: Sendable {
    /// What descriptors are lent for; each has its own, so that none uses up what is another's.
    package enum Purpose: Int, CaseIterable, Sendable {
        /// Clients of the control socket.
        case control
        /// Scrapes of metrics.
        case metrics
        /// What the supervisor needs for a moment: notifications, and the configuration's file.
        case upkeep
    }

    private struct Shelf {
        let size: Int
        var held: [FileDescriptor] = []
    }

    private let shelves: Mutex<[Shelf]>
    private let isShortNow = Atomic(false)

    /// Opens the descriptors: 4 for clients of the control socket, 4 for scrapes and 2 for upkeep,
    /// or fewer where the limit is low.
    ///
    /// - Parameter descriptorLimit: How many descriptors the process may have.
    /// - Throws: See open(2).
    package init(descriptorLimit: Int) throws(Errno) {
        let sizes = Self.sizes(descriptorLimit: descriptorLimit)
        shelves = Mutex(sizes.map { Shelf(size: $0) })
        try shelves.withLock { shelves throws(Errno) in try Self.fill(&shelves) }
    }

    deinit {
        shelves.withLock { shelves in
            for descriptor in shelves.flatMap(\.held) { try? descriptor.close() }
        }
    }

    /// How many descriptors are held for each purpose: no more than five eighths of the reserve
    /// that sessions leave, see ``Configuration/Limits/sessionBudget``.
    static func sizes(descriptorLimit: Int) -> [Int] {
        let reserve = min(64, descriptorLimit / 8)
        let clients = min(4, max(1, reserve / 4))
        return [clients, clients, min(2, max(1, reserve / 8))]
    }

    /// Whether some are lent, and ``refill()`` is of use.
    var isShort: Bool { isShortNow.load(ordering: .relaxed) }

    /// Closes one after a call that has failed for want of it, which is to be made again then.
    ///
    /// - Returns: `false` if the call has failed for something else, or none is left.
    package func lend(for purpose: Purpose, after error: Errno) -> Bool {
        switch error {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: lend(for: purpose)
        default: false
        }
    }

    /// Closes one, so that another can be opened; `false` if none is left.
    @discardableResult
    package func lend(for purpose: Purpose) -> Bool {
        shelves.withLock { shelves in
            // The lowest number is kept for longest.
            guard let lent = shelves[purpose.rawValue].held.popLast() else { return false }
            try? lent.close()
            isShortNow.store(true, ordering: .relaxed)
            return true
        }
    }

    /// Takes back what was lent, as far as there are descriptors.
    package func refill() {
        guard isShort else { return }
        shelves.withLock { shelves in
            do throws(Errno) {
                try Self.fill(&shelves)
                isShortNow.store(false, ordering: .relaxed)
            } catch {
                // The next session that ends leaves a descriptor.
            }
        }
    }

    /// Does something that needs a descriptor for a moment.
    ///
    /// - Throws: What `body` throws, if a descriptor more would not help or none is left.
    package func attempt<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        while true {
            do throws(Errno) {
                let value = try body()
                refill()
                return value
            } catch {
                guard lend(for: .upkeep, after: error) else {
                    refill()
                    throw error
                }
            }
        }
    }

    private static func fill(_ shelves: inout [Shelf]) throws(Errno) {
        let file = FilePath("/dev/null")
        do {
            for index in shelves.indices {
                while shelves[index].held.count < shelves[index].size {
                    shelves[index].held.append(
                        try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
                    )
                }
            }
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError  // The calls above throw nothing else.
        }
    }
}
