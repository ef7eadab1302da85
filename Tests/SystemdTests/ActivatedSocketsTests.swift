import Glibc
import SystemPackage
import Systemd
import TestSupport
import Testing

@Suite("ActivatedSockets")
struct ActivatedSocketsTests {
    /// Makes two pipes; what can be read from each identifies its descriptors.
    private func makeDescriptors() throws -> [FileDescriptor] {
        let first = try FileDescriptor.pipe(options: .closeOnExec)
        let second = try FileDescriptor.pipe(options: .closeOnExec)
        return [first.readEnd, first.writeEnd, second.readEnd, second.writeEnd]
    }

    @Test("sockets are claimed by name: all sockets with that name at once, and only once")
    func claims() throws {
        let open = try makeDescriptors()
        defer { for descriptor in open { try? descriptor.close() } }
        var sockets = ActivatedSockets(
            zip(["web", "mail", "web", "stray"], open).map(ActivatedSocket.init)
        )
        #expect(sockets.names == ["mail", "stray", "web"])
        #expect(sockets.take(named: "web") == [open[0], open[2]])
        #expect(sockets.take(named: "web") == [])
        #expect(sockets.take(named: "other") == [])
        #expect(sockets.names == ["mail", "stray"])
        let left = sockets.takeUnclaimed()
        #expect(left.map(\.name) == ["mail", "stray"])
        #expect(left.map(\.descriptor) == [open[1], open[3]])
        #expect(sockets.names == [])
    }

    @Test("unclaimed sockets close at the end of the scope, and claimed ones stay open")
    func closes() throws {
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        do {
            var sockets = ActivatedSockets([
                ActivatedSocket(name: "kept", descriptor: pipe.readEnd),
                ActivatedSocket(name: "left", descriptor: pipe.writeEnd),
            ])
            #expect(sockets.take(named: "kept") == [pipe.readEnd])
        }
        // This was the only write end, so the pipe is at end of file.
        var byte: [UInt8] = [0]
        let count = unsafe try byte.withUnsafeMutableBytes { bytes in
            unsafe try pipe.readEnd.read(into: bytes)
        }
        #expect(count == 0)
        try pipe.readEnd.close()
    }

    @Test("sockets meant for another process are ignored")
    func leaves() async {
        await #expect(processExitsWith: .success) {
            setVariable("LISTEN_PID", "1")
            setVariable("LISTEN_FDS", "2")
            let sockets = try ActivatedSockets.takeFromEnvironment()
            #expect(sockets.names == [])
        }
    }

    @Test("a socket count that is not a number is an error")
    func refuses() async {
        await #expect(processExitsWith: .success) {
            setVariable("LISTEN_PID", String(getpid()))
            setVariable("LISTEN_FDS", "many")
            #expect(throws: Errno.invalidArgument) {
                _ = try ActivatedSockets.takeFromEnvironment()
            }
        }
    }
}
