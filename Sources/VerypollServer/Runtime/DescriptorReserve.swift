internal import Synchronization
package import SystemPackage

/// Spare descriptors that are held open for the control socket, for scrapes and for the supervisor,
/// in case sessions use all others.
///
/// The kernel compares the *number* of a new descriptor with the limit, and the limit may be
/// lowered at any time. The reserve is therefore opened at the start, while numbers are low, and
/// each descriptor refers to `/dev/null`. Lending a descriptor means closing it, so that the next
/// descriptor that the process opens gets its number. If another thread opens one first, the
/// caller's call fails again and the reserve lends the next descriptor.
package final class DescriptorReserve: Sendable {
    /// The purposes of the reserve; each has its own descriptors, so that none uses up those of
    /// another.
    package enum Purpose: Int, CaseIterable, Sendable {
        /// Clients of the control socket.
        case control
        /// Scrapes of metrics.
        case metrics
        /// Short-lived descriptors of the supervisor: notifications, and the configuration file.
        case upkeep
    }

    private struct Shelf {
        let size: Int
        var held: [FileDescriptor] = []
    }

    private let shelves: Mutex<[Shelf]>
    private let isShortNow = Atomic(false)

    /// Opens the descriptors: 4 for clients of the control socket, 4 for scrapes and 2 for upkeep,
    /// or fewer if the limit is low.
    ///
    /// - Parameter descriptorLimit: The most descriptors that the process may have.
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

    /// Returns the number of descriptors held for each purpose.
    ///
    /// Each purpose has at least one. Unless the limit is very low, all together have at most
    /// five eighths of the reserve of ``Configuration/Limits/sessionBudget``.
    static func sizes(descriptorLimit: Int) -> [Int] {
        let reserve = min(64, descriptorLimit / 8)
        let clients = min(4, max(1, reserve / 4))
        return [clients, clients, min(2, max(1, reserve / 8))]
    }

    /// Whether descriptors are lent, so that ``refill()`` may have something to do.
    var isShort: Bool { isShortNow.load(ordering: .relaxed) }

    /// Closes a descriptor if a call has failed because descriptors ran out; the caller then
    /// repeats the call.
    ///
    /// - Returns: `false` if the call has failed for another reason, or if no descriptor is left.
    package func lend(for purpose: Purpose, after error: Errno) -> Bool {
        switch error {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: lend(for: purpose)
        default: false
        }
    }

    /// Closes a descriptor so that the caller can open another one; returns `false` if none is
    /// left.
    @discardableResult
    package func lend(for purpose: Purpose) -> Bool {
        shelves.withLock { shelves in
            // Lend the last one first. The first ones usually have the lowest numbers, which stay
            // usable if the limit is lowered.
            guard let lent = shelves[purpose.rawValue].held.popLast() else { return false }
            try? lent.close()
            isShortNow.store(true, ordering: .relaxed)
            return true
        }
    }

    /// Reopens lent descriptors, as many as the limit allows.
    package func refill() {
        guard isShort else { return }
        shelves.withLock { shelves in
            do throws(Errno) {
                try Self.fill(&shelves)
                isShortNow.store(false, ordering: .relaxed)
            } catch {
                // The end of the next session frees a descriptor, and then a worker tries again.
            }
        }
    }

    /// Runs a body that opens a descriptor for a short time, and lends it one if necessary.
    ///
    /// - Throws: The error of `body`, if another descriptor would not help or none is left.
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
