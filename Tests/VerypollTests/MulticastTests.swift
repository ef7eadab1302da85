#if Net
import Foundation
import SystemPackage
import Testing
import Verypoll

@Suite("UDPSocket multicast")
struct MulticastTests {
    @Test(
        "a socket receives a group's datagrams after joining, and no more after leaving",
        arguments: [NetworkInterface.index(1), .address(.loopback(.v4))]
    )
    func joins(interface: NetworkInterface) throws {
        let receiver = try UDPSocket(binding: SocketAddress(.any(.v4), port: 0))
        let sender = try UDPSocket(binding: SocketAddress(.any(.v4), port: 0))
        let port = try receiver.localAddress().port
        let group = groupV4()
        try receiver.joinMulticast(group, on: interface)
        try sender.setMulticastInterface(interface)
        #expect(try sender.send([1].span, to: SocketAddress(group, port: port)) == 1)
        let letter = try expectLetter(to: receiver)
        #expect(try letter.bytes == [1] && letter.sender.port == sender.localAddress().port)

        #expect(throws: Errno.addressInUse) {
            try receiver.joinMulticast(group, on: interface)
        }
        try receiver.leaveMulticast(group, on: interface)
        #expect(throws: Errno.addressNotAvailable) {
            try receiver.leaveMulticast(group, on: interface)
        }
        #expect(try sender.send([2].span, to: SocketAddress(group, port: port)) == 1)
        #expect(try sender.send([3].span, to: .loopback(port: port)) == 1)
        #expect(try expectLetter(to: receiver).bytes == [3])
    }

    @Test("sockets that share an address each receive the group's datagrams")
    func isShared() throws {
        var options = UDPSocket.Options()
        options.reusesAddress = true
        let any = SocketAddress(.any(.v4), port: 0)
        let one = try UDPSocket(binding: any, options: options)
        let port = try one.localAddress().port
        let two = try UDPSocket(binding: SocketAddress(any.ip, port: port), options: options)
        let group = groupV4()
        try one.joinMulticast(group, on: .index(1))
        try two.joinMulticast(group, on: .index(1))
        let sender = try UDPSocket(binding: any)
        try sender.setMulticastInterface(.index(1))
        #expect(try sender.send([1].span, to: SocketAddress(group, port: port)) == 1)
        #expect(try expectLetter(to: one).bytes == [1])
        #expect(try expectLetter(to: two).bytes == [1])
    }

    @Test("an IPv6 group is joined and left once by interface index")
    func joinsV6() throws {
        let socket = try UDPSocket(binding: SocketAddress(.any(.v6), port: 0))
        let group = groupV6()
        try socket.joinMulticast(group, on: .index(1))
        #expect(throws: Errno.addressInUse) { try socket.joinMulticast(group, on: .index(1)) }
        try socket.leaveMulticast(group, on: .index(1))
        #expect(throws: Errno.addressNotAvailable) {
            try socket.leaveMulticast(group, on: .index(1))
        }
        // IPv6 does not identify interfaces by address.
        #expect(throws: Errno.invalidArgument) {
            try socket.joinMulticast(group, on: .address(.loopback(.v6)))
        }
        #expect(throws: Errno.invalidArgument) {
            try socket.setMulticastInterface(.address(.loopback(.v6)))
        }
    }

    @Test(
        "a joined IPv6 group's datagrams are received",
        .enabled(if: multicastInterface(AF_INET6) != nil, "no interface for it on this machine")
    )
    func hearsV6() throws {
        let index = try #require(multicastInterface(AF_INET6))
        let receiver = try UDPSocket(binding: SocketAddress(.any(.v6), port: 0))
        let sender = try UDPSocket(binding: SocketAddress(.any(.v6), port: 0))
        let group = groupV6()
        let port = try receiver.localAddress().port
        try receiver.joinMulticast(group, on: .index(index))
        try sender.setMulticastInterface(.index(index))
        // A hop limit of 0 keeps the datagrams on this machine.
        try sender.setMulticastTimeToLive(0)
        #expect(try sender.send([1].span, to: SocketAddress(group, port: port, zone: index)) == 1)
        let letter = try expectLetter(to: receiver)
        #expect(letter.bytes == [1])
        #expect(letter.sender.zone == (letter.sender.ip.isLinkLocal ? index : 0))
        // Without a zone, the datagram leaves through the chosen interface.
        #expect(try sender.send([2].span, to: SocketAddress(group, port: port)) == 1)
        #expect(try expectLetter(to: receiver).bytes == [2])
    }

    @Test(
        "with loopback off, this machine does not receive its own multicast",
        .enabled(if: multicastInterface(AF_INET) != nil, "no interface for it on this machine")
    )
    func loops() throws {
        // The loopback interface itself returns every datagram.
        let index = try #require(multicastInterface(AF_INET))
        let receiver = try UDPSocket(binding: SocketAddress(.any(.v4), port: 0))
        let sender = try UDPSocket(binding: SocketAddress(.any(.v4), port: 0))
        let group = groupV4()
        let port = try receiver.localAddress().port
        try receiver.joinMulticast(group, on: .index(index))
        try sender.setMulticastInterface(.index(index))
        try sender.setMulticastTimeToLive(0)
        #expect(try sender.send([1].span, to: SocketAddress(group, port: port)) == 1)
        #expect(try expectLetter(to: receiver).bytes == [1])
        try sender.setMulticastLoop(false)
        #expect(try sender.send([2].span, to: SocketAddress(group, port: port)) == 1)
        #expect(try sender.send([3].span, to: .loopback(port: port)) == 1)
        #expect(try expectLetter(to: receiver).bytes == [3])
    }

    @Test("multicast loopback and time-to-live settings are kept", arguments: families)
    func keepsOptions(family: IPAddress.Family) throws {
        let socket = try UDPSocket(binding: .loopback(family, port: 0))
        #expect(try socket.multicastLoop())
        try socket.setMulticastLoop(false)
        #expect(try !socket.multicastLoop())
        try socket.setMulticastLoop(true)
        #expect(try socket.multicastLoop())

        let unicast = try socket.timeToLive()
        #expect(try socket.multicastTimeToLive() == 1)
        for hops in [0, 5, 255] {
            try socket.setMulticastTimeToLive(hops)
            #expect(try socket.multicastTimeToLive() == hops)
        }
        #expect(throws: Errno.invalidArgument) { try socket.setMulticastTimeToLive(256) }
        try socket.setMulticastTimeToLive(-1)
        #expect(try socket.multicastTimeToLive() == 1)
        #expect(try socket.timeToLive() == unicast)
        try socket.setMulticastInterface(.any)
    }

    @Test("an invalid group and an invalid interface cause different errors")
    func refuses() throws {
        let four = try UDPSocket(binding: .loopback(.v4, port: 0))
        let six = try UDPSocket(binding: .loopback(.v6, port: 0))
        let nowhere = NetworkInterface.index(1 << 30)
        #expect(throws: Errno.invalidArgument) {
            try four.joinMulticast(.loopback(.v4), on: .index(1))
        }
        #expect(throws: Errno.invalidArgument) {
            try six.joinMulticast(.loopback(.v6), on: .index(1))
        }
        #expect(throws: Errno.operationNotSupportedByDevice) {
            try four.joinMulticast(groupV4(), on: nowhere)
        }
        #expect(throws: Errno.operationNotSupportedByDevice) {
            try six.joinMulticast(groupV6(), on: nowhere)
        }
        #expect(throws: Errno.invalidArgument) {
            try four.joinMulticast(groupV4(), on: .address(.loopback(.v6)))
        }
    }
}

private let families: [IPAddress.Family] = [.v4, .v6]

/// Returns a private-use group that no other test has joined.
private func groupV4() -> IPAddress {
    IPAddress(v4: 0xEFFF_0000 | UInt32.random(in: 1...0xFFFF))
}

/// Returns a link-local group without an assigned meaning that no other test has joined.
private func groupV6() -> IPAddress {
    IPAddress(v6: 0xFF12 << 112 | UInt128(UInt64.random(in: 1 ... .max)))
}

extension IPAddress {
    fileprivate var isLinkLocal: Bool { family == .v6 && bits >> 118 == 0xFE80 >> 6 }
}

/// Returns a non-loopback interface that supports multicast and has an address of the family.
private func multicastInterface(_ family: Int32) -> UInt32? {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&first) == 0 else { return nil }
    defer { unsafe freeifaddrs(first) }
    var next = unsafe first
    while let entry = unsafe next {
        let flags = unsafe entry.pointee.ifa_flags
        let wanted = UInt32(IFF_UP | IFF_MULTICAST)
        if unsafe Int32(entry.pointee.ifa_addr?.pointee.sa_family ?? 0) == family,
            flags & wanted == wanted, flags & UInt32(IFF_LOOPBACK) == 0
        {
            return unsafe if_nametoindex(entry.pointee.ifa_name)
        }
        unsafe next = entry.pointee.ifa_next
    }
    return nil
}
#endif
