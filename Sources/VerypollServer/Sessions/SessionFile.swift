/// The sessions that one process hands to the next, as the contents of a sealed file.
///
/// Version 1, all numbers little-endian:
///
///     8 bytes   "verypoll"
///     32 bits   the version
///     64 bits   a session ID that is larger than all that were used
///     32 bits   the number of sessions that follow
///     each      32 bits: the length of its record; 8 bits: the number of its descriptors; the
///               record, see SessionRecord+Coding.swift
///
/// A process restores nothing from a version that it does not know. Bytes after the fields of a
/// record were written by a newer release and are ignored. To add a field without a new version,
/// append it to the record and use a default when the record ends before it.
package struct SessionFile: Equatable, Sendable {
    private static let magic = Array("verypoll".utf8)
    private static let version: UInt32 = 1

    /// The most bytes of a file: each of its sessions may have two full buffers.
    package static let limit = sessionLimit * (2 * Buffer.capacity + 4096)

    /// The most sessions in a file.
    package static let sessionLimit = 1024

    /// A session and the number of its descriptors.
    package struct Entry: Equatable, Sendable {
        /// The record; `nil` if it cannot be decoded.
        package var record: SessionRecord?
        package var descriptorCount: Int

        /// Makes an entry for a record.
        package init(_ record: SessionRecord?, descriptorCount: Int) {
            self.record = record
            self.descriptorCount = descriptorCount
        }
    }

    /// A number that is larger than the ID of any session.
    package var nextSessionID: UInt64
    package var entries: [Entry]

    /// Makes a file for records.
    package init(nextSessionID: UInt64, _ records: [SessionRecord]) {
        self.nextSessionID = nextSessionID
        entries = records.map { Entry($0, descriptorCount: $0.descriptorCount) }
    }

    /// Returns the bytes of the file.
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

    /// Decodes the bytes of a file, which may come from any process.
    ///
    /// - Throws: If the file has another magic or version, or is malformed. A session whose record
    ///   cannot be decoded gets an entry without a record.
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
