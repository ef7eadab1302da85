import Testing
import Verypoll
import VerypollConfiguration

@testable import VerypollServer

@Suite("AcceptorList")
struct AcceptorListTests {
    private static func socket() throws -> ListeningSocket {
        let address = try #require(SocketAddress("127.0.0.1:0"))
        return ListeningSocket(
            .tcp(try TCPListener(binding: address)),
            place: .ip(address),
            address: "\(address)",
            worker: nil
        )
    }

    /// Changes the acceptors to those of a snapshot, and makes all changes.
    ///
    /// - Returns: The changes as text.
    private static func change(
        _ list: inout AcceptorList,
        to sockets: [(listener: Int, socket: ListeningSocket)]
    ) -> [String] {
        list.change(
            to: sockets.map { WorkerSnapshot.Acceptor(listener: $0.listener, socket: $0.socket) },
            report: .empty
        )
        return makeChanges(&list)
    }

    private static func makeChanges(_ list: inout AcceptorList) -> [String] {
        var changes: [String] = []
        while let change = list.nextChange() {
            switch change {
            case .close(let index):
                list.remove(at: index)
                changes.append("close \(index)")
            case .open(let acceptor):
                let index = list.add(
                    Acceptor(listener: acceptor.listener, socket: acceptor.socket)
                )
                changes.append("open \(index)")
            }
        }
        return changes
    }

    @Test("sockets of the snapshot are opened, others are closed, and free indices are reused")
    func changes() throws {
        let (a, b, c) = (try Self.socket(), try Self.socket(), try Self.socket())
        var list = AcceptorList()
        #expect(Self.change(&list, to: [(0, a), (1, b), (1, b)]) == ["open 0", "open 1"])
        #expect(list.takeReports().count == 1)
        #expect(Self.change(&list, to: [(0, a), (1, b)]) == [])
        #expect(Self.change(&list, to: [(2, b), (3, c)]) == ["close 0", "open 0"])
        #expect(list.socket(at: 0) === c)
        #expect(list.acceptors.map(\.listener) == [3, 2])
        #expect(Self.change(&list, to: []) == ["close 0", "close 1"])
        #expect(list.socket(at: 1) == nil)
        #expect(Self.change(&list, to: [(4, a)]) == ["open 1"])
    }

    @Test("a later snapshot replaces the changes that are left; all reports follow at the end")
    func replaces() throws {
        let (a, b, c) = (try Self.socket(), try Self.socket(), try Self.socket())
        var list = AcceptorList()
        _ = Self.change(&list, to: [(0, a)])
        _ = list.takeReports()
        list.change(to: [.init(listener: 0, socket: b)], report: .adopted(snapshot: 1))
        #expect(list.isChanging)
        let wanted = [(0, a), (1, c)].map { WorkerSnapshot.Acceptor(listener: $0, socket: $1) }
        list.change(to: wanted, report: .adopted(snapshot: 2))
        #expect(Self.makeChanges(&list) == ["open 1"])
        #expect(!list.isChanging)
        let reports = list.takeReports().map { report in
            if case .adopted(let snapshot) = report { snapshot } else { 0 }
        }
        #expect(reports == [1, 2])
        #expect(list.takeReports().count == 0)
    }

    @Test("removing all acceptors drops the changes that are left and returns their reports")
    func removesAll() throws {
        var list = AcceptorList()
        list.change(to: [.init(listener: 0, socket: try Self.socket())], report: .empty)
        #expect(list.removeAll().count == 1)
        #expect(!list.isChanging)
        #expect(list.acceptors.isEmpty)
        #expect(list.removeAll().count == 0)
    }

    @Test("a listener shows the reason of its first paused acceptor")
    func showsReasons() throws {
        let (a, b, c) = (try Self.socket(), try Self.socket(), try Self.socket())
        var list = AcceptorList()
        _ = Self.change(&list, to: [(0, a), (0, b), (1, c)])
        #expect(list.shownReasons == [0: .none, 1: .none])
        list.acceptors[1].pauseReason = .acceptRate
        #expect(list.shownReasons == [0: .acceptRate, 1: .none])
        #expect(list.shownReason(of: 0) == .acceptRate)
        list.acceptors[0].pauseReason = .totalLimit
        #expect(list.shownReasons == [0: .totalLimit, 1: .none])
        list.remove(at: 2)
        #expect(list.shownReasons == [0: .totalLimit])
    }
}
