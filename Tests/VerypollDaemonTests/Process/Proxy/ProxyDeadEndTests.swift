internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@Suite("Proxy: both ends break")
struct ProxyDeadEndTests {
    /// Which end breaks first, and how the other one ends afterwards.
    struct Course: CustomTestStringConvertible, Sendable {
        enum End: String, Sendable, CaseIterable {
            case reset
            /// Closes with unread bytes, which causes a reset as well.
            case closesUnread
        }

        var clientIsFirst: Bool
        var end: End

        static let all = [true, false].flatMap { isClient in
            End.allCases.map { Course(clientIsFirst: isClient, end: $0) }
        }

        var testDescription: String {
            "\(clientIsFirst ? "client" : "server") first, the other \(end)"
        }
    }

    private func join(_ lab: borrowing ProxyLab, _ course: Course) throws -> Ends {
        let joined = try lab.join()
        try joined.greet()
        let ends = joined.share()
        return course.clientIsFirst
            ? Ends(first: ends.client, second: ends.server)
            : Ends(first: ends.server, second: ends.client)
    }

    private struct Ends {
        var first: Held?
        var second: Held?

        /// Sends to an end that does not read, until the daemon has nothing left to send except the
        /// bytes in the kernel's buffers.
        func load(_ lab: borrowing ProxyLab, _ course: Course, _ count: Int) throws {
            try first?.client.setReceiveBuffer(4096)
            try second?.client.send(Noise.slice(count, at: 1))
            try eventually("the daemon to have passed everything on") {
                guard let session = try lab.daemon.sessions().first else { return false }
                let activated = course.clientIsFirst ? session.bytesOut : session.bytesIn
                return activated == count + 1 && session.buffered == 0
            }
        }

        /// Fills the direction from the first end, until the daemon stops reading from it.
        func fill(_ lab: borrowing ProxyLab, _ course: Course) throws {
            var sent = 1
            var before = 0
            let block = Noise.slice(1 << 16, at: 0)
            try eventually("the direction to be full") {
                while let count = try first?.client.sendNow(block) { sent += count }
                guard let session = try lab.daemon.sessions().first else { return false }
                let taken = course.clientIsFirst ? session.bytesIn : session.bytesOut
                defer { before = taken }
                return taken == before && sent - taken > 1 << 16
            }
        }

        mutating func end(_ end: Course.End) throws {
            if end == .reset { try second?.client.breakOff() }
            second = nil
        }
    }

    @Test("a session ends once the second end has broken it as well", arguments: Course.all)
    func endsBroken(course: Course) throws {
        let lab = try ProxyLab()
        var ends = try join(lab, course)
        try ends.load(lab, course, 1 << 17)
        try ends.fill(lab, course)
        try ends.first?.client.breakOff()
        ends.first = nil
        // The answer shows that the worker has processed its events since.
        #expect(try lab.daemon.sessions().count == 1)
        try ends.end(course.end)
        try lab.waitForNothing()
    }

    @Test(
        "a session ends if its first end shuts down and resets at the same moment",
        arguments: Course.all
    )
    func endsMerged(course: Course) throws {
        let lab = try ProxyLab()
        var ends = try join(lab, course)
        try ends.load(lab, course, 1 << 17)
        try lab.daemon.program.freeze()
        try ends.first?.client.finishSending()
        try ends.first?.client.breakOff()
        ends.first = nil
        try lab.daemon.program.send(SIGCONT)
        _ = try lab.daemon.sessions()
        try ends.end(course.end)
        try lab.waitForNothing()
    }

    @Test(
        "a silent end receives a reset that came together with the end of file before it",
        arguments: Sides.all.filter { $0.client == .tcp },
        [0, 10, 50_000]
    )
    func passesMergedReset(sides: Sides, size: Int) throws {
        let lab = try ProxyLab(sides)
        let joined = try lab.join()
        try joined.greet()
        let (client, server) = joined.share()
        try lab.daemon.program.freeze()
        // Send as much as the kernel accepts for a daemon that does not read.
        let sent = size == 0 ? 0 : try client.client.sendSome(Noise.slice(size, at: 3))
        try client.client.waitUntilTaken()
        try client.client.finishSending()
        try client.client.breakOff()
        try lab.daemon.program.send(SIGCONT)
        let reception = server.client.receiveAll()
        #expect(reception.bytes.count == sent && Noise.isSlice(reception.bytes, at: 3))
        if sides.server == .tcp { #expect(reception.error == .connectionReset) }
        try lab.waitForNothing()
    }
}
