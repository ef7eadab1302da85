internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// Which sessions are on their way to the next process.
///
/// The file is in the descriptor store before the first session is, and out of it once the last one
/// is there. So a process that is passed a ledger knows that the hand-over broke off, and which
/// sessions are lost. In the file, after its head, each entry follows the one before; a later entry
/// of a worker replaces an earlier one. All numbers are little-endian:
///
///     8 bytes   "vplledgr"
///     32 bits   the version, 1
///     each      32 bits: the worker; 32 bits: how many sessions it has; 32 bits: how many numbers
///               follow, which is 0 while they are not known; 64 bits for each number
struct HandoffLedger: Equatable {
    private static let magic = Array("vplledgr".utf8)
    private static let version: UInt32 = 1

    /// The most bytes of the file that are read.
    static let limit = 64 << 20

    /// The sessions of a worker.
    struct Entry: Equatable {
        var count: Int
        /// Their numbers, where the worker has told them.
        var ids: [UInt64]
    }

    /// By worker.
    private(set) var entries: [Int: Entry] = [:]

    /// Makes an empty ledger.
    init() {}

    /// The bytes that the file begins with.
    static func head(sessionCounts: [Int]) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(contentsOf: magic)
        writer.append(version)
        for (worker, count) in sessionCounts.enumerated() {
            append(Entry(count: count, ids: []), of: worker, to: &writer)
        }
        return writer.bytes
    }

    /// The part that is added once the numbers of a worker's sessions are known.
    static func entry(of worker: Int, ids: [UInt64]) -> [UInt8] {
        var writer = RecordWriter()
        append(Entry(count: ids.count, ids: ids), of: worker, to: &writer)
        return writer.bytes
    }

    private static func append(_ entry: Entry, of worker: Int, to writer: inout RecordWriter) {
        writer.append(UInt32(clamping: worker))
        writer.append(UInt32(clamping: entry.count))
        writer.append(UInt32(clamping: entry.ids.count))
        for id in entry.ids { writer.append(id) }
    }

    /// Reads the bytes of a file.
    ///
    /// An entry that its process did not finish is left out.
    ///
    /// - Throws: If they are not those of a ledger.
    init(decoding bytes: [UInt8]) throws(RecordError) {
        guard bytes.starts(with: Self.magic) else { throw .foreign }
        var reader = RecordReader(bytes[...])
        _ = try reader.bytes(Self.magic.count)
        let version: UInt32 = try reader.integer()
        guard version == Self.version else { throw .version(version) }
        while !reader.isAtEnd, let (worker, entry) = Self.entry(from: &reader) {
            entries[worker] = entry
        }
    }

    private static func entry(from reader: inout RecordReader) -> (Int, Entry)? {
        do throws(RecordError) {
            let worker: UInt32 = try reader.integer()
            let count: UInt32 = try reader.integer()
            let idCount: UInt32 = try reader.integer()
            var numbers = RecordReader(try reader.bytes(Int(idCount) * 8))
            var ids: [UInt64] = []
            while !numbers.isAtEnd { ids.append(try numbers.integer()) }
            return (Int(worker), Entry(count: Int(count), ids: ids))
        } catch {
            return nil
        }
    }

    /// The sessions that are not among those that arrived.
    ///
    /// - Returns: How many there are, and the numbers of those whose worker has told them.
    func missing(besides arrived: Set<UInt64>) -> (count: Int, ids: [UInt64]) {
        var count = 0
        var ids: [UInt64] = []
        // A worker tells the numbers before it packs, so that none of the others have arrived.
        for entry in entries.values {
            let missing = entry.ids.filter { !arrived.contains($0) }
            count += entry.ids.isEmpty ? entry.count : missing.count
            ids += missing
        }
        return (count, ids.sorted())
    }
}
