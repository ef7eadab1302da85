import SystemPackage
import TestSupport
import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("FileSocket")
struct FileSocketTests {
    private let mode: FilePermissions = [.ownerReadWrite, .groupReadWrite]

    private func bind(
        _ path: String,
        group: String? = nil
    ) throws(FileSocketError) -> FileSocket {
        let access: FileAccess
        do throws(FileAccessError) {
            access = try FileAccess(mode: mode, owner: nil, group: group)
        } catch {
            throw FileSocketError(path: FilePath(path), reason: error.reason)
        }
        return try FileSocket(binding: FilePath(path), backlog: 16, access: access)
    }

    private func reason(path: String, group: String? = nil) -> String? {
        do throws(FileSocketError) {
            _ = try bind(path, group: group)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("the file has the requested mode and group, in a directory that is created for it")
    func makesFile() throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(directory.appending("run/control.sock"))
        let own = try Stat(FilePath(directory.path)).groupID.rawValue
        let socket = try bind(path.string, group: "\(own)")
        let found = try Stat(path)

        #expect(found.permissions == mode)
        #expect(found.type == .socket)
        #expect(socket.file.group == own)
    }

    @Test("a new file has the requested mode from the beginning, and no wider one")
    func limitsMode() throws {
        let directory = try TemporaryDirectory()
        for mode: FilePermissions in [[.ownerRead], [.ownerReadWrite], []] {
            let path = FilePath(directory.appending("mode\(mode.rawValue)"))
            let socket = try UnixListener(binding: path, mode: mode, backlog: 1)
            #expect(try Stat(path).permissions == mode)
            withExtendedLifetime(socket) {}
        }
    }

    @Test("a socket file on which no process listens is replaced")
    func replacesStale() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")
        do {
            _ = try UnixListener(binding: .path(FilePath(path)))
        }
        // A program that another test starts has a copy of the listening socket until its exec.
        try eventually("nobody to listen") {
            do throws(Errno) { _ = try Client(path: path) } catch { return true }
            return false
        }
        let socket = try bind(path)
        _ = try Client(path: path)

        #expect(try socket.listener.accept() != nil)
    }

    @Test("a socket file on which a process listens is kept")
    func keepsLive() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")
        let other = try UnixListener(binding: .path(FilePath(path)))

        #expect(reason(path: path) == "another process listens on it")
        #expect(try other.localAddress() == .path(FilePath(path)))
        _ = try Client(path: path)
    }

    @Test("a file that is not a socket is kept")
    func keepsFile() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("precious", to: "control.sock")

        #expect(reason(path: path) == "the file exists and is not a socket")
        #expect(try Stat(FilePath(path)).size == 8)
    }

    @Test("an unknown group is refused before anything is created")
    func refusesGroup() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")

        #expect(
            reason(path: path, group: "no-such-group")
                == #"no group is named "no-such-group"; see getent group for the names"#
        )
        #expect(throws: Errno.noSuchFileOrDirectory) { try Stat(FilePath(path)) }
    }

    @Test("closing the socket removes its file, even if the file's mode was changed")
    func removesOwn() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")
        do {
            let socket = try bind(path)
            _ = try Client(path: path)
            _ = try Program.run("/bin/chmod", ["0600", path])
            #expect(try socket.listener.accept() != nil)
        }

        #expect(throws: Errno.noSuchFileOrDirectory) { try Stat(FilePath(path)) }
    }

    @Test("closing the socket keeps the file of a successor")
    func keepsSuccessor() throws {
        let directory = try TemporaryDirectory()
        let path = directory.appending("control.sock")
        func replaceWhileBound() throws -> FileSocket {
            let first = try bind(path)
            _ = try Program.run("/bin/rm", [path])
            let second = try bind(path)
            #expect(first.file.group == second.file.group)
            return second
        }
        let successor = try replaceWhileBound()

        #expect(try Stat(FilePath(path)).type == .socket)
        #expect(try successor.listener.localAddress() == .path(FilePath(path)))
    }
}
