#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

@Suite("Adopting descriptors")
struct AdoptionTests {
    @Test(
        "each type adopts its own kind of descriptor and rejects others with a typed error",
        arguments: adopters,
        Kind.allCases
    )
    func checks(adopter: Adopter, kind: Kind) throws {
        try whileNoProgramStarts {
            let descriptor = try kind.open()
            #expect(adopter.refusal(of: descriptor) == adopter.error(of: kind))
        }
    }

    @Test("a rejected descriptor is closed at once, and an adopted one at the end of its owner")
    func closes() async {
        await #expect(processExitsWith: .success) {
            for adopter in adopters {
                for kind in Kind.allCases {
                    try expectNoLeak(rounds: 20) { _ = adopter.refusal(of: try kind.open()) }
                }
            }
        }
    }

    @Test("adopting makes a descriptor non-blocking and close-on-exec; releasing leaves it open")
    func prepares() throws {
        try whileNoProgramStarts {
            let listener = try TCPListener(adopting: Kind.tcpListener.open())
            let address = try listener.localAddress()
            let stream = try TCPStream(adopting: Kind.tcpStream.open())
            let socket = try UDPSocket(adopting: Kind.udpSocket.open())
            let unixListener = try UnixListener(adopting: Kind.unixListener.open())
            let unixStream = try UnixStream(adopting: Kind.unixStream.open())
            let datagram = try UnixDatagram(adopting: Kind.unixDatagram.open())
            let descriptors = [
                listener.fileDescriptor, stream.fileDescriptor, socket.fileDescriptor,
                unixListener.fileDescriptor, unixStream.fileDescriptor, datagram.fileDescriptor,
            ]
            for descriptor in descriptors {
                #expect(descriptor.isNonBlocking && descriptor.closesOnExec)
            }
            let released = [
                Held(listener.release()), Held(stream.release()), Held(socket.release()),
                Held(unixListener.release()), Held(unixStream.release()), Held(datagram.release()),
            ]
            #expect(released.map { $0.value.fileDescriptor } == descriptors)
            for descriptor in descriptors {
                #expect(descriptor.isNonBlocking && descriptor.closesOnExec)
            }
            // A released descriptor can be adopted again: it is the same socket.
            let again = try TCPListener(adopting: released[0].value.duplicate())
            #expect(try again.localAddress() == address)
        }
    }

    @Test("the caller must close a descriptor released from OwnedFD")
    func releases() throws {
        let tracer = try Tracer()
        let copy = try tracer.sender.duplicate()
        #expect(copy.fileDescriptor.closesOnExec)
        let descriptor = copy.release()
        let end = tracer.closeSender()
        #expect(try !end.isAtEnd())
        try descriptor.close()
        try end.expectEnd()
    }

    @Test("a negative descriptor traps")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            survives { _ = OwnedFD(adopting: FileDescriptor(rawValue: -1)) }
        }
    }
}

/// A kind of descriptor.
enum Kind: CaseIterable {
    case file, receiver, sender
    case tcpStream, tcpListener, udpSocket
    case unixStream, unixListener, unixDatagram, unixPackets

    /// Opens a new descriptor of this kind with default flags: blocking, and inherited by children.
    func open() throws -> OwnedFD {
        switch self {
        case .file: OwnedFD(adopting: try FileDescriptor.open(FilePath("/dev/null"), .readWrite))
        case .receiver: try pipe(reads: true)
        case .sender: try pipe(reads: false)
        case .tcpStream: try socket(AF_INET, SOCK_STREAM)
        case .tcpListener: try socket(AF_INET6, SOCK_STREAM, listens: true)
        case .udpSocket: try socket(AF_INET6, SOCK_DGRAM)
        case .unixStream: try socket(AF_UNIX, SOCK_STREAM)
        case .unixListener: try socket(AF_UNIX, SOCK_STREAM, listens: true)
        case .unixDatagram: try socket(AF_UNIX, SOCK_DGRAM)
        case .unixPackets: try socket(AF_UNIX, SOCK_SEQPACKET)
        }
    }

    private func pipe(reads: Bool) throws -> OwnedFD {
        let pipe = try FileDescriptor.pipe()
        try (reads ? pipe.writeEnd : pipe.readEnd).close()
        return OwnedFD(adopting: reads ? pipe.readEnd : pipe.writeEnd)
    }

    private func socket(
        _ family: Int32,
        _ type: __socket_type,
        listens: Bool = false
    ) throws -> OwnedFD {
        let number = Glibc.socket(family, Int32(type.rawValue), 0)
        if number < 0 { throw Errno(rawValue: errno) }
        let descriptor = OwnedFD(adopting: FileDescriptor(rawValue: number))
        guard listens else { return descriptor }
        if family == AF_UNIX {
            // With the family alone, the kernel chooses a name.
            var address = sockaddr()
            address.sa_family = sa_family_t(AF_UNIX)
            let size = socklen_t(MemoryLayout<sa_family_t>.size)
            try #require(unsafe bind(number, &address, size) == 0)
        }
        // An unbound TCP socket listens on a port that the kernel chooses.
        try #require(listen(number, 1) == 0)
        return descriptor
    }
}

/// A type that adopts descriptors, and its expected result for each kind.
struct Adopter: Sendable, CustomTestStringConvertible {
    let name: String
    let takes: Kind
    /// The errors for kinds that have an error of their own.
    let errors: [Kind: Errno]
    /// The error for all other kinds.
    let other: Errno
    let adopt: @Sendable (consuming OwnedFD) throws(Errno) -> Void

    var testDescription: String { name }

    /// Returns the expected error for a kind.
    func error(of kind: Kind) -> Errno? {
        kind == takes ? nil : errors[kind] ?? other
    }

    /// Returns the error that adopting throws, or `nil` if it succeeds.
    func refusal(of descriptor: consuming OwnedFD) -> Errno? {
        do throws(Errno) {
            try adopt(descriptor)
            return nil
        } catch {
            return error
        }
    }

    /// Makes the adopter of a socket type, which first rejects descriptors that are not sockets.
    static func socket(
        _ name: String,
        takes: Kind,
        _ errors: [Kind: Errno],
        _ adopt: @escaping @Sendable (consuming OwnedFD) throws(Errno) -> Void
    ) -> Adopter {
        let noSockets: [Kind: Errno] = [
            .file: .notSocket, .receiver: .notSocket, .sender: .notSocket,
        ]
        return Adopter(
            name: name,
            takes: takes,
            errors: noSockets.merging(errors) { $1 },
            other: .protocolWrongTypeForSocket,
            adopt: adopt
        )
    }
}

private let foreignUnix: [Kind: Errno] = [
    .unixStream: .addressFamilyNotSupported, .unixListener: .addressFamilyNotSupported,
]
private let foreignTCP: [Kind: Errno] = [
    .tcpStream: .addressFamilyNotSupported, .tcpListener: .addressFamilyNotSupported,
]

private let socketAdopters: [Adopter] = [
    .socket(
        "TCPStream",
        takes: .tcpStream,
        foreignUnix.merging([.tcpListener: .invalidArgument]) { $1 }
    ) { socket throws(Errno) in _ = try TCPStream(adopting: socket) },
    .socket(
        "TCPListener",
        takes: .tcpListener,
        foreignUnix.merging([.tcpStream: .invalidArgument]) { $1 }
    ) { socket throws(Errno) in _ = try TCPListener(adopting: socket) },
    .socket("UDPSocket", takes: .udpSocket, [.unixDatagram: .addressFamilyNotSupported]) {
        socket throws(Errno) in _ = try UDPSocket(adopting: socket)
    },
    .socket(
        "UnixStream",
        takes: .unixStream,
        foreignTCP.merging([.unixListener: .invalidArgument]) { $1 }
    ) { socket throws(Errno) in _ = try UnixStream(adopting: socket) },
    .socket(
        "UnixListener",
        takes: .unixListener,
        foreignTCP.merging([.unixStream: .invalidArgument]) { $1 }
    ) { socket throws(Errno) in _ = try UnixListener(adopting: socket) },
    .socket("UnixDatagram", takes: .unixDatagram, [.udpSocket: .addressFamilyNotSupported]) {
        socket throws(Errno) in _ = try UnixDatagram(adopting: socket)
    },
]

#if OSExt
private let adopters =
    socketAdopters + [
        Adopter(
            name: "UnixPipe.Receiver",
            takes: .receiver,
            errors: [.sender: .badFileDescriptor],
            other: .invalidArgument
        ) { pipe throws(Errno) in _ = try UnixPipe.Receiver(adopting: pipe) },
        Adopter(
            name: "UnixPipe.Sender",
            takes: .sender,
            errors: [.receiver: .badFileDescriptor],
            other: .invalidArgument
        ) { pipe throws(Errno) in _ = try UnixPipe.Sender(adopting: pipe) },
    ]
#else
private let adopters = socketAdopters
#endif
#endif
