#if OSPoll && Net
import Glibc
import SystemPackage
import TestSupport
import Verypoll

/// A connected stream socket of any kind, as a class so that an array can hold it; it closes with
/// its last reference.
protocol ModelSocket: AnyObject {
    var fileDescriptor: FileDescriptor { get }

    func register(_ registry: borrowing Registry, _ new: ModelRegistration) throws(Errno)
    func reregister(_ registry: borrowing Registry, _ new: ModelRegistration) throws(Errno)
    func deregister(_ registry: borrowing Registry) throws(Errno)
    func read(atMost room: Int) throws(Errno) -> Int?
    func write(_ count: Int) throws(Errno) -> Int?
    func shutdown(_ direction: ShutdownDirection) throws(Errno)
}

final class HeldSocket<Stream: StreamSocket & ~Copyable>: ModelSocket {
    private let stream: Stream
    private var received: [UInt8] = []

    init(_ stream: consuming Stream) {
        self.stream = stream
    }

    var fileDescriptor: FileDescriptor { stream.fileDescriptor }

    func register(_ registry: borrowing Registry, _ new: ModelRegistration) throws(Errno) {
        try registry.register(stream, token: new.token, interest: new.interest, mode: new.mode)
    }

    func reregister(_ registry: borrowing Registry, _ new: ModelRegistration) throws(Errno) {
        try registry.reregister(stream, token: new.token, interest: new.interest, mode: new.mode)
    }

    func deregister(_ registry: borrowing Registry) throws(Errno) {
        try registry.deregister(stream)
    }

    func read(atMost room: Int) throws(Errno) -> Int? {
        received.removeAll(keepingCapacity: true)
        var count: Int?
        try received.append(addingCapacity: room) { output throws(Errno) in
            count = try stream.read(into: &output)
        }
        return count
    }

    func write(_ count: Int) throws(Errno) -> Int? {
        try stream.write(zeros.span.extracting(first: count))
    }

    func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try stream.shutdown(direction)
    }
}

private let zeros = [UInt8](repeating: 0, count: 1 << 16)

/// The poll(2) events that the model waits for.
enum ModelNews: Int16 {
    case bytes = 0x1  // POLLIN
    case hangUp = 0x10  // POLLHUP
    case readHangUp = 0x2000  // POLLRDHUP, which Glibc's module lacks.
}

/// Direct poll(2) calls, independent of ``Poll``, to wait until loopback has delivered.
extension ModelSocket {
    /// Waits until poll(2) reports `news`; returns whether it did.
    func wait(for news: ModelNews) -> Bool {
        var entry = pollfd(fd: fileDescriptor.rawValue, events: news.rawValue, revents: 0)
        return unsafe Glibc.poll(&entry, 1, CInt(patience.components.seconds) * 1000) == 1
    }

    /// Waits until exactly `count` bytes can be read; returns whether that happened.
    func wait(forUnread count: Int) -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            let isLate = ContinuousClock.now >= deadline
            var unread: CInt = 0
            guard unsafe ioctl(fileDescriptor.rawValue, UInt(FIONREAD), &unread) == 0 else {
                return false
            }
            if Int(unread) == count { return true }
            if isLate { return false }
            sched_yield()
        }
    }
}
#endif
