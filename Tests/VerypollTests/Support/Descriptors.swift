import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// Runs `body` `count` times, and expects it to leak fewer descriptors than one per run.
///
/// Meaningful only in an exit test, because other tests open and close descriptors at the same
/// time. The test runner may open a few of its own even there.
func expectNoLeak(
    rounds: Int = 100,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) throws {
    let before = try openDescriptors().count
    for _ in 0..<rounds { try body() }
    let after = try openDescriptors().count
    #expect(after - before < rounds, sourceLocation: sourceLocation)
}

/// Returns the numbers of this process's open descriptors.
func openDescriptors() throws -> Set<Int32> {
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    // The list also contains the directory's own descriptor, which is closed by now.
    return Set(names.compactMap(Int32.init).filter { fcntl($0, F_GETFD) != -1 })
}

extension FileDescriptor {
    /// Whether programs that this process executes do not inherit the descriptor.
    var closesOnExec: Bool { fcntl(rawValue, F_GETFD) & FD_CLOEXEC != 0 }

    /// Whether calls on the descriptor return instead of waiting.
    var isNonBlocking: Bool { fcntl(rawValue, F_GETFL) & O_NONBLOCK != 0 }

    /// Waits until the descriptor is ready, without the library.
    func wait(
        for events: Int32 = POLLIN,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var entry = pollfd(fd: rawValue, events: Int16(events), revents: 0)
        let count = unsafe poll(&entry, 1, 30_000)
        try #require(count == 1, "timed out", sourceLocation: sourceLocation)
    }

    /// Waits until the other end is closed, or an error is pending.
    ///
    /// Closing the other end in this process may take effect later: a child that has not yet called
    /// execve(2) still has copies of all descriptors.
    func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try wait(for: 0, sourceLocation: sourceLocation)
    }

    /// Waits until `count` bytes can be read; they may arrive in parts.
    func wait(forUnread count: Int) throws {
        try eventually("\(count) bytes to read") {
            var unread: Int32 = 0
            try #require(unsafe ioctl(rawValue, UInt(FIONREAD), &unread) == 0)
            return unread == count
        }
    }

    /// Returns the value of a socket's integer option.
    func option(_ level: Int32, _ name: Int32) throws -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try #require(unsafe getsockopt(rawValue, level, name, &value, &size) == 0)
        return value
    }
}

/// A pipe of the test's own: its end of file shows that the last copy of its other end is closed,
/// in every process.
struct Tracer: ~Copyable {
    let sender: OwnedFD
    let receiver: OwnedFD

    init() throws {
        let pipe = try FileDescriptor.pipe(options: [.nonBlocking, .closeOnExec])
        sender = OwnedFD(adopting: pipe.writeEnd)
        receiver = OwnedFD(adopting: pipe.readEnd)
    }

    /// Closes the write end, and returns the read end.
    consuming func closeSender() -> OwnedFD { receiver }
}

extension OwnedFD {
    /// Waits until all copies of a pipe's other end are closed.
    ///
    /// A child of another test holds copies of all descriptors until it calls execve(2), so the end
    /// may be open for a moment longer.
    func expectEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try fileDescriptor.wait(sourceLocation: sourceLocation)
        #expect(try isAtEnd(), sourceLocation: sourceLocation)
    }

    /// Returns whether all copies of a pipe's other end are closed.
    func isAtEnd() throws -> Bool {
        var byte: UInt8 = 0
        let count = unsafe read(fileDescriptor.rawValue, &byte, 1)
        if count < 0, errno != EAGAIN { throw Errno(rawValue: errno) }
        return count == 0
    }
}
