#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// A connected pair of TCP sockets on the loopback interface.
struct TCPPair: ~Copyable {
    let client: TCPStream
    let server: TCPStream

    init(_ family: IPAddress.Family = .v4, options: TCPListener.Options = .init()) throws {
        let listener = try TCPListener(binding: .loopback(family, port: 0), options: options)
        let client = try TCPStream(connectingTo: listener.localAddress())
        let accepted = try listener.next()
        try client.fileDescriptor.wait(for: POLLOUT)
        guard try client.finishConnect() == .connected else { throw Errno.socketNotConnected }
        self.server = accepted.stream
        self.client = client
    }
}

/// An address of the loopback interface on which nothing listens, and that no other socket gets.
struct Nobody: ~Copyable {
    private let socket: OwnedFD
    let address: SocketAddress

    init(_ family: IPAddress.Family = .v4) throws {
        // The socket is bound, but never listens.
        let domain = family == .v4 ? AF_INET : AF_INET6
        let number = Glibc.socket(domain, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let stream = try TCPStream(adopting: OwnedFD(adopting: FileDescriptor(rawValue: number)))
        var raw = sockaddr_in6()
        raw.sin6_family = sa_family_t(domain)
        if family == .v6 { raw.sin6_addr = in6addr_loopback }
        let bound = unsafe withUnsafePointer(to: raw) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        guard bound == 0 else { throw Errno(rawValue: errno) }
        let address = try stream.localAddress()
        self.address = SocketAddress(.loopback(family), port: address.port)
        self.socket = stream.release()
    }
}

extension IPAddress {
    /// Returns a loopback address that no other test uses, so a port of it that was released, or
    /// never bound, stays unused.
    static func ownLoopback() -> IPAddress {
        IPAddress(v4: 0x7F00_0000 | UInt32.random(in: 0x1_0000...0xFF_FFFE))
    }
}

extension TCPListener {
    /// Waits for the next connection.
    func next() throws -> Accepted {
        try fileDescriptor.wait()
        guard let accepted = try accept() else { throw TimedOut(waitingFor: "a connection") }
        return accepted
    }
}

extension UnixListener {
    /// Accepts the next connection; the client's connect has already completed.
    func next() throws -> Accepted {
        guard let accepted = try accept() else { throw TimedOut(waitingFor: "a connection") }
        return accepted
    }
}

extension UnixAddress {
    /// Returns an abstract name that no other socket has.
    static func unique() -> UnixAddress {
        .abstract(Array("verypoll-\(UUID().uuidString)".utf8))
    }
}

extension [UInt8] {
    /// Appends the bytes of one read.
    mutating func append(from stream: borrowing some StreamSocket & ~Copyable) throws -> Int? {
        var count: Int?
        try append(addingCapacity: 4096) { output in
            count = try stream.read(into: &output)
        }
        return count
    }

    /// Appends the bytes of one receive, with room for `room` bytes.
    mutating func append(
        datagramFrom socket: borrowing some DatagramSocket & ~Copyable,
        room: Int = 4096,
        peeks: Bool = false
    ) throws -> Int? {
        var count: Int?
        try append(addingCapacity: room) { output in
            count = try peeks ? socket.peek(into: &output) : socket.receive(into: &output)
        }
        return count
    }
}

extension StreamSocket where Self: ~Copyable {
    /// Waits for `count` bytes and returns them, or fewer if the peer ends first.
    func readExactly(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var received: Int?
            try bytes.append(addingCapacity: min(count - bytes.count, 65_536)) { output in
                received = try read(into: &output)
            }
            if received == 0 { break }
            if received == nil { try fileDescriptor.wait() }
        }
        return bytes
    }

    /// Writes two to four buffers in one call.
    func write(parts: [[UInt8]]) throws(Errno) -> Int? {
        let (first, second) = (parts[0], parts[1])
        let third = parts.count > 2 ? parts[2] : []
        let fourth = parts.count > 3 ? parts[3] : []
        return try write(first.span, second.span, third.span, fourth.span)
    }

    /// Waits until the peer's end of file, and returns everything received before it.
    func readToEnd() throws -> [UInt8] { try readExactly(.max) }
}
#endif
