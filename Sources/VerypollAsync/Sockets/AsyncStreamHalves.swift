internal import SystemPackage
internal import Verypoll

/// The two halves of a connection, from ``AsyncTCPStream/split()`` or ``AsyncUnixStream/split()``.
///
/// Frozen, so that other modules can move the halves out of it.
@frozen public struct AsyncStreamHalves: ~Copyable, Sendable {
    /// The half that reads.
    public let reader: AsyncStreamReader
    /// The half that writes.
    public let writer: AsyncStreamWriter

    init(_ stream: SharedStream) {
        reader = AsyncStreamReader(stream: stream)
        writer = AsyncStreamWriter(stream: stream)
    }
}

/// The reading half of a connection.
public struct AsyncStreamReader: ~Copyable, AsyncByteReader {
    private let stream: SharedStream

    public var handle: SourceHandle { stream.registration.handle(only: .read) }

    init(stream: SharedStream) {
        self.stream = stream
    }
}

/// The writing half of a connection.
///
/// The peer reads the end of the stream when this half goes out of scope.
public struct AsyncStreamWriter: ~Copyable, AsyncByteWriter {
    private let stream: SharedStream

    public var handle: SourceHandle { stream.registration.handle(only: .write) }

    init(stream: SharedStream) {
        self.stream = stream
    }

    deinit {
        stream.shutDownWriting()
    }
}

/// The connection that two halves share; it is closed with the second one.
final class SharedStream: Sendable {
    fileprivate let registration: Registration
    private let socket: OwnedFD

    init(_ registration: consuming Registration, _ socket: consuming OwnedFD) {
        self.registration = registration
        self.socket = socket
    }

    fileprivate func shutDownWriting() {
        do throws(Errno) {
            try socket.fileDescriptor.shutdown(.write)
        } catch {
            // The connection is gone already, so the peer needs no end of stream.
        }
    }
}
