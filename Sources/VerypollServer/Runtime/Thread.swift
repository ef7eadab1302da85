internal import CVerypoll
internal import Glibc
internal import Synchronization
package import SystemPackage

/// A thread of the daemon, made by pthread_create(3).
@safe package struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: The name that ps(1) and debuggers show; the kernel keeps its first 15 bytes.
    ///   - body: The function that the thread runs.
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

    /// Waits until the thread ends; call this at most once.
    package func join() {
        pthread_join(handle, nil)
    }

    /// Detaches the thread: nobody joins it, and it ends with the process at the latest.
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

/// Carries a noncopyable value to a thread, because an escaping closure cannot consume one.
package final class TransferBox<Value: ~Copyable & Sendable>: Sendable {
    private let value: Mutex<Value?>

    package init(_ value: consuming Value) {
        self.value = Mutex(consume value)
    }

    /// Returns the value the first time, and `nil` afterwards.
    package func take() -> Value? {
        value.withLock { $0.take() }
    }
}
