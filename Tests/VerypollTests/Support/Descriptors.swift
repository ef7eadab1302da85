import Foundation
import SystemPackage
import TestSupport
import Testing
import Verypoll

/// Does the same so many times, and expects that not each time leaves a descriptor open.
///
/// Other tests open and close some at the same time, so it means something in an exit test only.
/// There what runs the test may open a few of its own meanwhile.
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

/// The numbers of this process' open descriptors.
func openDescriptors() throws -> Set<Int32> {
    let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    // The directory's own descriptor is in the list as well, and closed by now.
    return Set(names.compactMap(Int32.init).filter { fcntl($0, F_GETFD) != -1 })
}

extension FileDescriptor {
    /// Whether a program that this process executes does not get it.
    var closesOnExec: Bool { fcntl(rawValue, F_GETFD) & FD_CLOEXEC != 0 }

    /// Whether calls on it return rather than wait.
    var isNonBlocking: Bool { fcntl(rawValue, F_GETFL) & O_NONBLOCK != 0 }

    /// Waits until it is ready, with no help from the library.
    func wait(
        for events: Int32 = POLLIN,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var entry = pollfd(fd: rawValue, events: Int16(events), revents: 0)
        let count = unsafe poll(&entry, 1, 30_000)
        try #require(count == 1, "timed out", sourceLocation: sourceLocation)
    }

    /// Waits until the other end is gone, or an error is pending.
    ///
    /// That is not at once when this process has closed it: another that is about to execute a
    /// program has all its descriptors until it does.
    func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try wait(for: 0, sourceLocation: sourceLocation)
    }

    /// Waits until so many bytes can be read, which may come in parts.
    func wait(forUnread count: Int) throws {
        try eventually("\(count) bytes to read") {
            var unread: Int32 = 0
            try #require(unsafe ioctl(rawValue, UInt(FIONREAD), &unread) == 0)
            return unread == count
        }
    }

    /// The integer that a socket has for an option.
    func option(_ level: Int32, _ name: Int32) throws -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try #require(unsafe getsockopt(rawValue, level, name, &value, &size) == 0)
        return value
    }
}

/// A pipe of the tests' own, whose end of file tells that the last descriptor of its other end is
/// closed, wherever in the world that was.
struct Tracer: ~Copyable {
    let sender: OwnedFD
    let receiver: OwnedFD

    init() throws {
        let pipe = try FileDescriptor.pipe(options: [.nonBlocking, .closeOnExec])
        sender = OwnedFD(adopting: pipe.writeEnd)
        receiver = OwnedFD(adopting: pipe.readEnd)
    }

    /// Closes the writing end, and gives the one that tells.
    consuming func closeSender() -> OwnedFD { receiver }
}

extension OwnedFD {
    /// Waits until all descriptors of the other end of a pipe are closed.
    ///
    /// A process that is about to execute a program has them all until it does, so that for a
    /// moment somebody else's descriptor may be open yet.
    func expectEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try fileDescriptor.wait(sourceLocation: sourceLocation)
        #expect(try isAtEnd(), sourceLocation: sourceLocation)
    }

    /// Whether all descriptors of the other end of a pipe are closed.
    func isAtEnd() throws -> Bool {
        var byte: UInt8 = 0
        let count = unsafe read(fileDescriptor.rawValue, &byte, 1)
        if count < 0, errno != EAGAIN { throw Errno(rawValue: errno) }
        return count == 0
    }
}
