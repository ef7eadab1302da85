/// The sessions that one process leaves to the next, as the bytes of a sealed file.
///
/// Version 1, all numbers little-endian:
///
///     8 bytes   "verypoll"
///     32 bits   the version
///     64 bits   a number of a session that is larger than all that were given
///     32 bits   how many sessions follow
///     each      32 bits: the length of its record; 8 bits: the number of its descriptors; the
///               record, see SessionRecord+Coding.swift
///
/// A process that does not know the version takes up nothing. What can be said without breaking
/// those of the same version is added behind a record.
package struct SessionFile: Equatable, Sendable {
    private static let magic = Array("verypoll".utf8)
    private static let version: UInt32 = 1

    /// The most bytes that a file has: each session of a file may have two full buffers.
    package static let limit = sessionLimit * (2 * Buffer.capacity + 4096)

    /// The most sessions that a file has.
    package static let sessionLimit = 1024

    /// A session, and how many descriptors are its own.
    package struct Entry: Equatable, Sendable {
        /// `nil` if its record cannot be read.
        package var record: SessionRecord?
        package var descriptorCount: Int

        /// Makes an entry of a record.
        package init(_ record: SessionRecord?, descriptorCount: Int) {
            self.record = record
            self.descriptorCount = descriptorCount
        }
    }

    /// No session has this number or a larger one.
    package var nextSessionID: UInt64
    package var entries: [Entry]

    /// Makes a file of records.
    package init(nextSessionID: UInt64, _ records: [SessionRecord]) {
        self.nextSessionID = nextSessionID
        entries = records.map { Entry($0, descriptorCount: $0.descriptorCount) }
    }

    /// The bytes of the file.
    package func encode() -> [UInt8] {
        var writer = RecordWriter()
        writer.append(contentsOf: Self.magic)
        writer.append(Self.version)
        writer.append(nextSessionID)
        writer.append(UInt32(entries.count))
        for entry in entries {
            var record = RecordWriter()
            entry.record?.encode(into: &record)
            writer.append(UInt32(record.bytes.count))
            writer.append(UInt8(entry.descriptorCount))
            writer.append(contentsOf: record.bytes)
        }
        return writer.bytes
    }

    /// Reads the bytes of a file, whoever has written it.
    ///
    /// - Throws: If not even its sessions can be told apart. One whose record makes no sense is in
    ///   it without one.
    package init(decoding bytes: [UInt8]) throws(RecordError) {
        var reader = RecordReader(bytes[...])
        guard bytes.starts(with: Self.magic) else { throw .foreign }
        _ = try reader.bytes(Self.magic.count)
        let version: UInt32 = try reader.integer()
        guard version == Self.version else { throw .version(version) }
        nextSessionID = min(try reader.integer(), SessionRecord.largestCount)
        let count: UInt32 = try reader.integer()
        guard count <= Self.sessionLimit else { throw .malformed }
        entries = []
        for _ in 0..<count {
            let length: UInt32 = try reader.integer()
            let descriptorCount: UInt8 = try reader.integer()
            var record = RecordReader(try reader.bytes(Int(length)))
            entries.append(Self.entry(from: &record, descriptorCount: Int(descriptorCount)))
        }
        guard reader.isAtEnd else { throw .malformed }
    }

    private static func entry(from reader: inout RecordReader, descriptorCount: Int) -> Entry {
        let record = try? SessionRecord(from: &reader)
        let isWhole = record?.descriptorCount == descriptorCount
        return Entry(isWhole ? record : nil, descriptorCount: descriptorCount)
    }
}
