internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

/// Uses all forms of addresses, with clients that connect all the time.
@Suite("Restarts and reloads that change addresses", .serialized)
struct AddressChangeTests {
    enum Event: CaseIterable {
        case reload
        case restart
        case crash
        case failedStart
    }

    private static let keeping = #""restart": {"keepSessions": true},"#

    private func text(_ cases: [AddressCase], isAfter: Bool) -> String {
        cases.compactMap { $0.text(isAfter: isAfter) }.joined(separator: ",\n")
    }

    private func echoes(_ client: borrowing Client) -> Bool {
        guard (try? client.send("echo")) != nil else { return false }
        return (try? client.receive(exactly: 4)) == Array("echo".utf8)
    }

    @Test(
        "remaining listeners refuse no connection and keep sessions, and others are logged",
        arguments: Event.allCases
    )
    func change(_ event: Event) throws {
        let manager = try ServiceManager()
        let activated = try Server()
        let late = try Server()
        let unit = "systemd:passed"
        let host = "127.0.0.1"
        let cases =
            try AddressCase.allOfIP() + AddressCase.allOfUnix() + [
                AddressCase("passed", from: unit, to: unit, client: "\(host):\(activated.port)"),
                AddressCase("late", from: nil, to: "systemd:late", client: "\(host):\(late.port)"),
            ]
        var daemon = try TestDaemon(
            text(cases, isAfter: false),
            more: Self.keeping,
            sockets: [PassedSocket(name: "passed", descriptor: activated.descriptor)],
            manager: manager
        )
        // Added only now, because the first daemon would close a socket that no listener uses.
        daemon.activated.append(PassedSocket(name: "late", descriptor: late.descriptor))
        let changed = event == .reload ? cases.filter { $0.name != "late" } : cases
        let directory = daemon.directory.path
        func place(_ one: AddressCase) -> String { one.client.replacing("DIR", with: directory) }
        let sessions = try changed.filter { $0.change != .added }.map { one in
            (one: one, held: Held(try Client(address: place(one))))
        }
        for session in sessions {
            let isServed = echoes(session.held.client)
            #expect(isServed, "\(session.one.name) before")
        }
        let staying = changed.filter { $0.change == .stays }.map(place)
        let loops = [false, true].map {
            ConnectLoop(staying, isTalking: $0, expectsBreaks: event == .crash)
        }
        try eventually("clients") { loops.allSatisfy { $0.count > staying.count } }

        try perform(event, &daemon, manager, to: text(changed, isAfter: true))
        let counts = loops.map(\.count)
        try eventually("more clients") {
            zip(loops, counts).allSatisfy { $0.count > $1 + staying.count }
        }
        for loop in loops { #expect(try loop.end() == [], "\(event)") }

        for one in changed where one.change != .removed {
            let client = try Client(address: place(one))
            let isServed = echoes(client)
            #expect(isServed, "\(one.name) after")
        }
        for (one, held) in sessions {
            // A reload drains the removed listeners, whose sessions continue meanwhile.
            let isKept = event == .reload || event != .crash && one.change == .stays
            let isServed = echoes(held.client)
            #expect(isServed == isKept, "the session of \(one.name)")
        }
        for one in changed where one.change == .removed {
            try eventually("\(one.name) to refuse clients") { try Client.isRefused(at: place(one)) }
        }
        if event != .reload { try expectReport(event, daemon, cases) }
        try manager.end()
    }

    private func perform(
        _ event: Event,
        _ daemon: inout TestDaemon,
        _ manager: ServiceManager,
        to text: String
    ) throws {
        switch event {
        case .reload:
            try daemon.rewrite(text, more: Self.keeping)
            try daemon.reload()
        case .restart:
            try daemon.rewrite(text, more: Self.keeping)
            try daemon.restart()
        case .crash:
            try daemon.rewrite(text, more: Self.keeping)
            try daemon.program.send(SIGKILL)
            #expect(try daemon.program.waitForExit() == .signal(SIGKILL))
            try daemon.start()
            try daemon.program.waitForStandardError(containing: "is ready")
        case .failedStart:
            let other = try Server()
            let bad = serving("echo", as: "busy", listen: "127.0.0.1:\(other.port)")
            try daemon.rewrite("\(text),\n\(bad)", more: Self.keeping)
            try daemon.stop(forRestart: true)
            #expect(try daemon.program.waitForExit() == .code(0))
            let stored = manager.sockets.map(\.name)
            try daemon.start()
            #expect(try daemon.program.waitForExit() == .code(71))
            #expect(manager.sockets.map(\.name) == stored)
            try daemon.rewrite(text, more: Self.keeping)
            try daemon.start()
            try daemon.program.waitForStandardError(containing: "is ready")
        }
    }

    /// Expects that the log reports the removed listeners and their sessions.
    private func expectReport(
        _ event: Event,
        _ daemon: borrowing TestDaemon,
        _ cases: [AddressCase]
    ) throws {
        let log = try daemon.program.standardError
        #expect(!log.contains("passed by systemd: no listener names it"), "\(log)")
        for one in cases where one.change == .removed && !one.client.contains("DIR") {
            let port = one.client.split(separator: ":").last ?? ""
            let told = log.split(separator: "\n").contains {
                $0.contains("closed the listening socket") && $0.contains("\(port) of the previous")
            }
            #expect(told, "\(one.name): \(log)")
        }
        guard event != .crash else { return }
        #expect(log.contains("their listeners are not configured any more ("), "\(log)")
        #expect(log.contains(" sessions lost: "), "\(log)")
    }
}
