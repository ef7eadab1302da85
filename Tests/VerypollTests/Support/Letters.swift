#if Net
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// A received datagram and its sender.
struct Letter: Hashable {
    let bytes: [UInt8]
    /// The datagram's full length, which is larger than `bytes` if it did not fit.
    let byteCount: Int
    let sender: SocketAddress
}

/// Receives or peeks at the next datagram; returns `nil` if there is none.
func receive(
    from socket: borrowing UDPSocket,
    room: Int = 4096,
    peeks: Bool = false
) throws -> Letter? {
    var bytes: [UInt8] = []
    var received: UDPSocket.Received?
    try bytes.append(addingCapacity: room) { buffer in
        received = try peeks ? socket.peekFrom(into: &buffer) : socket.receiveFrom(into: &buffer)
    }
    guard let received else { return nil }
    return Letter(bytes: bytes, byteCount: received.byteCount, sender: received.sender)
}

/// Waits for the next datagram.
func expectLetter(
    to socket: borrowing UDPSocket,
    room: Int = 4096,
    peeks: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Letter {
    try socket.fileDescriptor.wait(sourceLocation: sourceLocation)
    let letter = try receive(from: socket, room: room, peeks: peeks)
    return try #require(letter, sourceLocation: sourceLocation)
}
#endif
