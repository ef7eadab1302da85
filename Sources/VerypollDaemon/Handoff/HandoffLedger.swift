internal import SystemPackage
internal import Verypoll
internal import VerypollServer

/// The list of the sessions that are being handed off to the next process.
///
/// The ledger file is added to the descriptor store before the first session and removed after the
/// last one. A process that receives a ledger therefore knows that the handoff was interrupted, and
/// which sessions are lost.
///
/// The file has a head and then one entry after the other. A later entry of a worker replaces an
/// earlier one. All numbers are little-endian:
///
///     8 bytes   "vplledgr"
///     32 bits   the version, 1
///     entries   32 bits: the worker; 32 bits: its number of sessions; 32 bits: the number of IDs
///               that follow, 0 while they are not known; 64 bits: each ID
struct HandoffLedger: Equatable {
    private static let magic = Array("vplledgr".utf8)
    private static let version: UInt32 = 1

    /// The most bytes of a ledger file that are read.
    static let limit = 64 << 20

    /// The sessions of one worker.
    struct Entry: Equatable {
        var count: Int
        /// The IDs of the sessions; empty until the worker has reported them.
        var ids: [UInt64]
    }

    /// The latest entry of each worker.
    private(set) var entries: [Int: Entry] = [:]

    /// Creates an empty ledger.
    init() {}

    /// Returns the bytes that the file begins with.
    static func head(sessionCounts: [Int]) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(contentsOf: magic)
        writer.append(version)
        for (worker, count) in sessionCounts.enumerated() {
            append(Entry(count: count, ids: []), of: worker, to: &writer)
        }
        return writer.bytes
    }

    /// Returns the entry to append once the IDs of a worker's sessions are known.
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

    /// Decodes the bytes of a ledger file.
    ///
    /// An entry that the previous process did not finish is ignored.
    ///
    /// - Throws: `RecordError` if the bytes are not a ledger of this version.
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

    /// Compares the ledger with the sessions that arrived.
    ///
    /// - Returns: The number of missing sessions, and the IDs of those whose worker reported them.
    func missing(besides arrived: Set<UInt64>) -> (count: Int, ids: [UInt64]) {
        var count = 0
        var ids: [UInt64] = []
        // A worker reports its IDs before it packs, so an entry without IDs has no session that
        // arrived.
        for entry in entries.values {
            let missing = entry.ids.filter { !arrived.contains($0) }
            count += entry.ids.isEmpty ? entry.count : missing.count
            ids += missing
        }
        return (count, ids.sorted())
    }
}
