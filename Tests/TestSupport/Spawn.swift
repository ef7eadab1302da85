internal import Glibc
internal import Synchronization
package import SystemPackage

/// A socket to hand to a program as systemd hands it over.
package struct PassedSocket: Sendable {
    package let name: String
    package let descriptor: FileDescriptor

    /// Names a socket; the caller keeps its descriptor open until the program has started.
    package init(name: String, descriptor: FileDescriptor) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// Held while a process starts, and while a descriptor exists that it must not inherit.
let inheritance = Mutex<Void>(())

/// Runs `body` while no program of the tests starts, which would inherit what it opens.
///
/// For descriptors that cannot be close-on-exec from the beginning, as that is what is tested.
package func whileNoProgramStarts(_ body: () throws -> Void) throws {
    try inheritance.withLock { _ in try body() }
}

/// Done once: what whoever runs the tests left open is none of the programs' business.
private let foreignDescriptorsStay: Void = {
    for number in 3..<Int32(1024) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
}()

/// Starts a program between two descriptors of the test's, which is the one to wait for its end.
///
/// - Parameters:
///   - words: The program's path, and its arguments.
///   - input: What it reads; `nil` for nothing.
///   - output: Where it writes; `nil` for nowhere.
/// - Returns: The number of the process.
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

/// Starts a process with no signal blocked or ignored, and returns its number.
///
/// Without a standard input it reads nothing.
func spawn(
    _ words: [String],
    environment: [String],
    standardInput: FileDescriptor? = nil,
    standardOutput: FileDescriptor,
    standardError: FileDescriptor,
    passing sockets: [FileDescriptor]
) throws(Errno) -> Int32 {
    foreignDescriptorsStay
    // Above all the numbers that they shall get, lest one takes the place of another.
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

/// A file without a name, open for reading and writing.
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

/// The variables of this process, each as "NAME=value".
func environment() -> [String] {
    var words: [String] = []
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = unsafe environ
    while let word = unsafe next.pointee {
        unsafe words.append(String(cString: word))
        unsafe next += 1
    }
    return words
}

/// Lends an array of C strings that ends in a null pointer.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
}

extension FileDescriptor {
    /// All bytes of a file as text, wherever others read or write in it.
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
