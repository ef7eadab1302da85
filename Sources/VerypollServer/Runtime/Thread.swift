internal import CVerypoll
internal import Glibc
internal import Synchronization
package import SystemPackage

/// A thread of the daemon's own, as pthread_create(3) makes them.
@safe package struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What ps(1) and debuggers show; the kernel keeps 15 bytes of it.
    ///   - body: What it runs.
    /// - Throws: `Errno.resourceTemporarilyUnavailable` if there are too many threads already.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.run()
                return nil
            },
            start.toOpaque()
        )
        guard code == 0 else {
            unsafe start.release()
            throw Errno(rawValue: code)
        }
        self.handle = handle
    }

    /// Lets the calling thread sleep for less than a second.
    package static func pause(nanoseconds: Int64) {
        cverypoll_pause(nanoseconds)
    }

    /// Waits for the thread's end, once.
    package func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread go: nobody waits for it, and the end of the process ends it.
    package func detach() {
        pthread_detach(handle)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            unsafe cverypoll_name_thread(name)
            body()
        }
    }
}

/// Carries one noncopyable value to a thread, since a closure cannot be left with one.
final class TransferBox<Value: ~Copyable & Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: consuming Value) {
        self.value = Mutex(consume value)
    }

    /// Takes the value; `nil` if it was taken already.
    func take() -> Value? {
        value.withLock { $0.take() }
    }
}
