#if Net
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Verypoll

@Suite("VsockAddress")
struct VsockAddressTests {
    @Test(
        "an address is parsed and printed",
        arguments: [
            ("3:8080", UInt32(3), UInt32(8080)), ("0:0", 0, 0), ("1:1", 1, 1),
            ("4294967294:4294967295", .max - 1, .max), ("*:80", .max, 80),
        ]
    )
    func parses(text: String, cid: UInt32, port: UInt32) throws {
        let address = try #require(VsockAddress(text))
        #expect(address == VsockAddress(cid: cid, port: port))
        #expect(address.description == text)
    }

    @Test(
        "an empty CID and the largest number mean all CIDs, as in systemd.socket(5) and vsock(7)",
        arguments: [":80", "4294967295:80"]
    )
    func parsesAny(text: String) throws {
        let address = try #require(VsockAddress(text))
        #expect(address.cid == VsockAddress.anyCID)
        #expect(address.description == "*:80")
    }

    @Test(
        "text that is not exactly an address is rejected",
        arguments: [
            "", ":", "3", "3:", "*", "**:1", "3:4294967296", "4294967296:3", "03:4", "3:04", "-1:4",
            "3:-1", "3:4:5", " 3:4", "3:4 ", "3.4", "vsock:3:4", "any:3", "٣:٤",
        ]
    )
    func refuses(text: String) {
        #expect(VsockAddress(text) == nil)
    }

    @Test("the kernel's form has the family, the port and the CID in the machine's byte order")
    func encodes() throws {
        let address = VsockAddress(cid: 0x0102_0304, port: 0x0506_0708)
        let raw = KernelAddress(address)
        let words = unsafe raw.withPointer { pointer, length in
            unsafe Array(UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        }
        // struct sockaddr_vm of linux/vm_sockets.h.
        let family = unsafe withUnsafeBytes(of: UInt16(40)) { unsafe Array($0) }
        let port = unsafe withUnsafeBytes(of: address.port) { unsafe Array($0) }
        let cid = unsafe withUnsafeBytes(of: address.cid) { unsafe Array($0) }
        #expect(words == family + [0, 0] + port + cid + [0, 0, 0, 0])
        #expect(try raw.vsockAddress == address)
        #expect(throws: Errno.addressFamilyNotSupported) { _ = try raw.unixAddress }
        #expect(throws: Errno.addressFamilyNotSupported) { _ = try raw.socketAddress }
        #expect(throws: Errno.addressFamilyNotSupported) {
            _ = try KernelAddress(SocketAddress.loopback(port: 1)).vsockAddress
        }
    }
}

@Suite("VsockListener and VsockStream")
struct VsockSocketTests {
    private static let any = VsockAddress(cid: VsockAddress.localCID, port: VsockAddress.anyPort)

    @Test(
        "without vsock or its loopback, binding to the local CID fails with an error that says so",
        .enabled(if: !hasVsockLoopback)
    )
    func explains() throws {
        let error = #expect(throws: Errno.self) { _ = try VsockListener(binding: Self.any) }
        #expect(error == .addressFamilyNotSupported || error == .addressNotAvailable)
    }

    @Test("a socket of another family is rejected and closed")
    func refusesOthers() throws {
        let error = #expect(throws: Errno.self) {
            let pair = try UnixStream.pair()
            _ = try VsockStream(adopting: pair.first.release())
        }
        #expect(error == .addressFamilyNotSupported)
        #expect(throws: Errno.addressFamilyNotSupported) {
            let listener = try UnixListener(binding: .unnamed)
            _ = try VsockListener(adopting: listener.release())
        }
    }

    @Test(
        "bytes and half-closes pass between a client and the listener",
        .enabled(if: hasVsockLoopback)
    )
    func connects() throws {
        let listener = try VsockListener(binding: Self.any)
        let address = try listener.localAddress()
        #expect(address.cid == VsockAddress.localCID && address.port != VsockAddress.anyPort)
        #expect(try listener.accept() == nil)
        let client = try VsockStream(connectingTo: address)
        try client.fileDescriptor.wait(for: POLLOUT)
        #expect(try client.finishConnect() == .connected)
        #expect(try client.peerAddress() == address)
        try listener.fileDescriptor.wait()
        guard let accepted = try listener.accept() else {
            throw TimedOut(waitingFor: "a connection")
        }
        #expect(try accepted.stream.localAddress().port == address.port)
        #expect(accepted.peer.cid == VsockAddress.localCID)
        // The client was not bound to a CID.
        #expect(try client.localAddress().cid == VsockAddress.anyCID)
        #expect(try client.localAddress().port == accepted.peer.port)

        #expect(try client.write([1, 2, 3].span) == 3)
        #expect(try accepted.stream.readExactly(3) == [1, 2, 3])
        try client.shutdown(.write)
        #expect(try accepted.stream.readToEnd() == [])
        #expect(try accepted.stream.write([4].span) == 1)
        #expect(try client.readExactly(1) == [4])
    }

    @Test(
        "a connect to a port where nothing listens is reset",
        .enabled(if: hasVsockLoopback)
    )
    func refuses() throws {
        let unused: VsockAddress
        do { unused = try VsockListener(binding: Self.any).localAddress() }
        let client = try VsockStream(connectingTo: unused)
        try client.fileDescriptor.wait(for: POLLOUT)
        #expect(throws: Errno.connectionReset) { try client.finishConnect() }
        #expect(throws: Errno.socketNotConnected) { try client.finishConnect() }
    }

    @Test(
        "a port is taken at all CIDs and at one of them",
        .enabled(if: hasVsockLoopback)
    )
    func occupies() throws {
        let listener = try VsockListener(binding: Self.any)
        let port = try listener.localAddress().port
        for cid in [VsockAddress.localCID, VsockAddress.anyCID] {
            #expect(throws: Errno.addressInUse) {
                _ = try VsockListener(binding: VsockAddress(cid: cid, port: port))
            }
        }
    }
}
#endif
