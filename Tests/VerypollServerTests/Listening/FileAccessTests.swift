import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("FileAccess")
struct FileAccessTests {
    private func access(
        _ mode: CInterop.Mode,
        owner: String? = nil,
        group: String? = nil
    ) throws(FileAccessError) -> FileAccess {
        try FileAccess(mode: FilePermissions(rawValue: mode), owner: owner, group: group)
    }

    @Test("an unknown user or group is refused with the key and the name")
    func refusesUnknown() {
        let user = #expect(throws: FileAccessError.self) { try access(0o660, owner: "no\u{1}body") }
        #expect(user?.key == "owner")
        #expect(user?.reason.hasPrefix("no user is named \"no\u{1}body\"") == true)
        let group = #expect(throws: FileAccessError.self) { try access(0o660, group: "nogrp0") }
        #expect(group?.key == "group")
        #expect(group?.reason.hasPrefix("no group is named \"nogrp0\"") == true)
    }

    @Test("a user or a group can be given by name or by number")
    func readsNames() throws {
        #expect(try access(0o600, owner: "root").owner == 0)
        #expect(try access(0o600, group: "root").group == 0)
        #expect(try access(0o600, owner: "12", group: "34").owner == 12)
        #expect(try access(0o600, owner: "12", group: "34").group == 34)
        #expect(try access(0o600).group == nil)
    }

    @Test("a file gets the requested mode, and the group of the process")
    func setsMode() throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(try directory.write("", to: "file"))
        for mode: CInterop.Mode in [0o660, 0o606, 0o000, 0o777] {
            try access(mode).apply(to: path)
            let found = try Stat(path)
            #expect(found.permissions.rawValue == mode)
            #expect(found.groupID.rawValue == getegid())
        }
    }

    @Test("the file of a socket never has a wider mode than requested")
    func isNeverWider() throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(directory.appending("socket"))
        let isOver = Atomic(false)
        let watcher = ConcurrentWork {
            while !isOver.load(ordering: .relaxed) {
                guard let found = try? Stat(path) else { continue }
                #expect(found.permissions.isSubset(of: [.ownerWrite, .groupReadWrite]))
            }
        }
        defer { isOver.store(true, ordering: .relaxed) }
        for _ in 0..<300 {
            let socket = try FileSocket(binding: path, backlog: 1, access: access(0o260))
            #expect(try Stat(path).permissions.rawValue == 0o260)
            try socket.file.apply(access(0o020))
            try socket.file.apply(access(0o260))
        }
        isOver.store(true, ordering: .relaxed)
        try watcher.join()
    }

    @Test("a file that is no longer the socket's is not changed")
    func leavesOthers() throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(directory.appending("socket"))
        let socket = try FileSocket(binding: path, backlog: 1, access: access(0o600))
        #expect(unsafe unlink(path.string) == 0)
        let other = FilePath(try directory.write("", to: "socket"))
        let before = try Stat(other).permissions
        #expect(throws: FileAccessError.self) { try socket.file.apply(access(0o666)) }
        #expect(try Stat(other).permissions == before)
    }
}
