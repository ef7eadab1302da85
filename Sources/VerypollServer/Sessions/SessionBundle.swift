package import SystemPackage
package import Verypoll

/// Up to 1,024 sessions on their way to the next process, as one descriptor.
///
/// It is a socket that has their descriptors waiting to be received, the sealed file of their
/// records before them. So the service manager keeps one descriptor in place of thousands, each of
/// which it would compare with every other; and once they were received, it holds none of them, so
/// that a session that ends has ended.
package final class SessionBundle: Sendable {
    /// The socket.
    package let socket: OwnedFD
    /// How many sessions are in it.
    package let sessionCount: Int
    /// How many bundles of its worker are before it, with sessions that are less busy.
    package let rank: Int

    /// Packs sessions; their descriptors stay open in it, whatever becomes of the given ones.
    ///
    /// - Throws: `Errno.noBufferSpace` if the kernel gives the socket no more room,
    ///   `Errno.tooManyReferences` if this user has too many descriptors on their way. Then nothing
    ///   was packed.
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

    /// The most descriptors that one message carries, `SCM_MAX_FD`.
    private static let descriptorsPerMessage = 253

    /// What was in a bundle, for the receiver to close.
    package struct Contents {
        /// The bytes of the file, or why they could not be had.
        package var file: Result<[UInt8], Errno>
        package var descriptors: [FileDescriptor]
    }

    /// Duplicates everything that is in a bundle that came back, which stays in it.
    package static func look(into socket: borrowing OwnedFD) -> Contents {
        do throws(Errno) {
            return open(try socket.duplicate(), isPeeking: true)
        } catch {
            return Contents(file: .failure(error), descriptors: [])
        }
    }

    /// Takes everything out of a bundle that came back.
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

    /// Breaks all its connections off.
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
                // The sender is gone, so an end of file comes after the last.
                let received =
                    isPeeking
                    ? try stream.peek(into: &output, ancillary: &ancillary)
                    : try stream.receive(into: &output, ancillary: &ancillary)
                count = received ?? 0
            }
            while let descriptor = ancillary.takeDescriptor() {
                descriptors.append(descriptor.release())
            }
            // The kernel has closed those that this process has no room for.
            if ancillary.isTruncated { throw .tooManyOpenFiles }
        }
    }
}
