internal import Glibc
internal import SystemPackage

extension PollExecutor {
    /// Runs the executor on the calling thread until it is shut down.
    func runUntilShutdown() {
        unsafe core.run(as: asUnownedTaskExecutor())
    }

    /// Starts a thread that runs the executor and keeps a reference to it meanwhile.
    static func startThread(_ executor: PollExecutor) throws(Errno) {
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(executor)
        let code = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let executor = unsafe Unmanaged<PollExecutor>.fromOpaque(argument)
                    .takeRetainedValue()
                executor.runUntilShutdown()
                return nil
            },
            argument.toOpaque()
        )
        guard code == 0 else {
            unsafe argument.release()
            throw Errno(rawValue: code)
        }
        _ = pthread_detach(thread)
    }
}
