package import SystemPackage
package import Verypoll

/// Up to 1,024 sessions on their way to the next process, as one descriptor.
///
/// The descriptor is a Unix-domain socket. Messages that wait in it carry the sealed file of the
/// records and then the descriptors of the sessions. So the service manager stores one descriptor
/// instead of thousands. It compares each new descriptor with all stored ones, which would take
/// long for thousands. After the messages were received, the socket holds no descriptor, so a
/// connection that a session closes really ends.
package final class SessionBundle: Sendable {
    /// The socket.
    package let socket: OwnedFD
    /// The number of sessions in the bundle.
    package let sessionCount: Int
    /// The number of earlier bundles of the same worker, whose sessions are less busy.
    package let rank: Int

    /// Packs sessions; the bundle holds copies of their descriptors.
    ///
    /// - Throws: `Errno.noBufferSpace` if the socket has no more room, `Errno.tooManyReferences` if
    ///   this user has too many descriptors in transit. In both cases, nothing is packed.
    init(
        _ records: [SessionRecord],
        _ descriptors: [FileDescriptor],
        nextSessionID: UInt64,
        rank: Int
    ) throws(Errno) {
        let contents = SessionFile(nextSessionID: nextSessionID, records).encode()
        let file = try SealedFile.make(contents, named: "verypolld-sessions")
        let pair = try UnixStream.pair()
        let sender = pair.first
        try sender.setSendBufferSize(Int(Int32.max / 2))
        let all = [file.fileDescriptor] + descriptors
        for start in stride(from: 0, to: all.count, by: Self.descriptorsPerMessage) {
            let part = Array(all[start...].prefix(Self.descriptorsPerMessage))
            guard try sender.send([0].span, passing: part) != nil else { throw .noBufferSpace }
        }
        sessionCount = records.count
        self.rank = rank
        socket = pair.second.release()
    }

    /// The most descriptors that a message can carry, `SCM_MAX_FD`.
    private static let descriptorsPerMessage = 253

    /// The contents of a bundle; the receiver must close the descriptors.
    package struct Contents {
        /// The bytes of the file, or the error that occurred.
        package var file: Result<[UInt8], Errno>
        package var descriptors: [FileDescriptor]
    }

    /// Returns copies of everything in a bundle, and leaves the bundle as it is.
    package static func look(into socket: borrowing OwnedFD) -> Contents {
        do throws(Errno) {
            return open(try socket.duplicate(), isPeeking: true)
        } catch {
            return Contents(file: .failure(error), descriptors: [])
        }
    }

    /// Takes everything out of a bundle.
    package static func open(_ socket: consuming OwnedFD, isPeeking: Bool = false) -> Contents {
        var descriptors: [FileDescriptor] = []
        do throws(Errno) {
            let stream = try UnixStream(adopting: socket)
            if isPeeking { try stream.setPeekOffset(0) }
            try receive(from: stream, &descriptors, isPeeking: isPeeking)
        } catch {
            return Contents(file: .failure(error), descriptors: descriptors)
        }
        guard !descriptors.isEmpty else {
            return Contents(file: .failure(.noData), descriptors: [])
        }
        let file = OwnedFD(adopting: descriptors.removeFirst())
        do throws(Errno) {
            let bytes = try SealedFile.read(file, limit: SessionFile.limit)
            return Contents(file: .success(bytes), descriptors: descriptors)
        } catch {
            return Contents(file: .failure(error), descriptors: descriptors)
        }
    }

    /// Resets all connections in the bundle.
    package func breakOff() {
        guard let copy = try? socket.duplicate() else { return }
        DescriptorList(Self.open(copy).descriptors).reset()
    }

    private static func receive(
        from stream: borrowing UnixStream,
        _ descriptors: inout [FileDescriptor],
        isPeeking: Bool
    ) throws(Errno) {
        var ancillary = AncillaryData(descriptorCapacity: descriptorsPerMessage)
        var count = 1
        while count > 0 {
            var bytes: [UInt8] = []
            try bytes.append(addingCapacity: 16) { output throws(Errno) in
                // The sending end is closed, so an end of file follows the last message.
                let received =
                    isPeeking
                    ? try stream.peek(into: &output, ancillary: &ancillary)
                    : try stream.receive(into: &output, ancillary: &ancillary)
                count = received ?? 0
            }
            while let descriptor = ancillary.takeDescriptor() {
                descriptors.append(descriptor.release())
            }
            // The kernel has closed the descriptors for which this process had no room.
            if ancillary.isTruncated { throw .tooManyOpenFiles }
        }
    }
}
