internal import Glibc
internal import Synchronization
package import SystemPackage

/// A socket to pass to a program the way systemd does.
package struct PassedSocket: Sendable {
    package let name: String
    package let descriptor: FileDescriptor

    /// Names a socket; the caller keeps the descriptor open until the program has started.
    package init(name: String, descriptor: FileDescriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// Held while a process starts, and while a descriptor exists that children must not inherit.
let inheritance = Mutex<Void>(())

/// Runs `body` while the tests start no program that would inherit descriptors `body` opens.
///
/// For descriptors that cannot be close-on-exec from the start, because the test is about that.
package func whileNoProgramStarts(_ body: () throws -> Void) throws {
    try inheritance.withLock { _ in try body() }
}

/// Runs once: the programs must not inherit descriptors that the test runner was started with.
private let foreignDescriptorsStay: Void = {
    for number in 3..<Int32(1024) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
}()

/// Starts a program with the given input and output; the caller waits for its exit.
///
/// - Parameters:
///   - words: The program's path and its arguments.
///   - input: Standard input, or `nil` for /dev/null.
///   - output: Standard output, or `nil` for /dev/null.
/// - Returns: The process ID.
/// - Throws: See posix_spawn(3).
package func startProcess(
    _ words: [String],
    input: FileDescriptor?,
    output: FileDescriptor?
) throws -> Int32 {
    let null = try FileDescriptor.open(FilePath("/dev/null"), .readWrite, options: .closeOnExec)
    defer { try? null.close() }
    return try spawn(
        words,
        environment: environment(),
        standardInput: input ?? null,
        standardOutput: output ?? null,
        standardError: .standardError,
        passing: []
    )
}

/// Starts a process with no signal blocked or ignored, and returns its PID.
///
/// Without `standardInput`, the process reads end of file.
func spawn(
    _ words: [String],
    environment: [String],
    standardInput: FileDescriptor? = nil,
    standardOutput: FileDescriptor,
    standardError: FileDescriptor,
    passing sockets: [FileDescriptor]
) throws(Errno) -> Int32 {
    foreignDescriptorsStay
    // Move the sockets above their target numbers first, so that no dup2(2) overwrites one of them.
    var raised: [FileDescriptor] = []
    defer { for descriptor in raised { try? descriptor.close() } }
    for socket in sockets {
        let lowest = Int32(3 + sockets.count)
        let copy = try check(fcntl(socket.rawValue, F_DUPFD_CLOEXEC, lowest))
        raised.append(FileDescriptor(rawValue: copy))
    }

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if let standardInput {
        unsafe posix_spawn_file_actions_adddup2(&actions, standardInput.rawValue, 0)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, standardOutput.rawValue, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, standardError.rawValue, 2)
    for (index, socket) in raised.enumerated() {
        unsafe posix_spawn_file_actions_adddup2(&actions, socket.rawValue, Int32(3 + index))
    }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    let flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    unsafe posix_spawnattr_setflags(&attributes, flags)

    var processID: pid_t = 0
    let problem = unsafe withCStrings(words) { arguments in
        unsafe withCStrings(environment) { variables in
            inheritance.withLock { _ in
                unsafe posix_spawnp(
                    &processID,
                    words[0],
                    &actions,
                    &attributes,
                    arguments,
                    variables
                )
            }
        }
    }
    if problem != 0 { throw Errno(rawValue: problem) }
    return processID
}

/// Returns an unnamed file that is open for reading and writing.
func makeUnnamedFile() throws -> FileDescriptor {
    let path = "/tmp/verypoll-\(UInt64.random(in: 0 ... .max))"
    let file = try FileDescriptor.open(
        FilePath(path),
        .readWrite,
        options: [.create, .exclusiveCreate, .closeOnExec, .append],
        permissions: .ownerReadWrite
    )
    unsafe unlink(path)
    return file
}

/// Returns this process's environment variables as "NAME=value".
func environment() -> [String] {
    var words: [String] = []
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
    while let word = unsafe next.pointee {
        unsafe words.append(String(cString: word))
        unsafe next += 1
    }
    return words
}

/// Passes a null-terminated array of C strings to `body`.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
}

extension FileDescriptor {
    /// Returns the whole file as text, independent of the descriptor's shared file offset.
    func text() throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let offset = Int64(bytes.count)
            let count = unsafe try chunk.withUnsafeMutableBytes { buffer in
                unsafe try read(fromAbsoluteOffset: offset, into: buffer)
            }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk.prefix(count)
        }
    }
}
