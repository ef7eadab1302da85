#if !OSPoll
internal import SystemPackage

/// Replaces the selector if the trait `OSPoll` is off.
///
/// It compiles, but traps when used.
struct Selector: ~Copyable, Sendable {
    var fileDescriptor: FileDescriptor { unavailable() }

    init() throws(Errno) { unavailable() }

    func clone() throws(Errno) -> Selector { unavailable() }

    func add(_ fd: CInt, token: Token, interest: Interest, mode: RegistrationMode) throws(Errno) {
        unavailable()
    }

    func addCounter(_ fd: CInt, token: Token) throws(Errno) { unavailable() }

    func modify(
        _ fd: CInt,
        token: Token,
        interest: Interest,
        mode: RegistrationMode
    ) throws(Errno) {
        unavailable()
    }

    func delete(_ fd: CInt) throws(Errno) { unavailable() }

    func busyPolling() throws(Errno) -> BusyPolling { unavailable() }

    func setBusyPolling(_ parameters: BusyPolling) throws(Errno) { unavailable() }

    func wait(into ready: inout EventBuffer, timeout: Duration?) throws(Errno) {
        unavailable()
    }
}

private func unavailable() -> Never {
    fatalError("Verypoll was built without the trait OSPoll, which a poll requires")
}
#endif
