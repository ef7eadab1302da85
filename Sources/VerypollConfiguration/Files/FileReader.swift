internal import Glibc
internal import SystemPackage

/// Access to the files to which a configuration refers.
///
/// All calls may block while a file system hangs.
struct FileReader {
    /// The most names of a directory that are compared with a pattern.
    private static let nameLimit = 100_000

    /// Calls the functions that open files, and repeats a call if needed.
    let attempt: OpenAttempt?

    /// Reads a regular file; see ``FileContents``.
    func read(_ path: FilePath, upTo limit: Int) throws(FileContents.Failure) -> [UInt8] {
        try FileContents.read(path.string, upTo: limit, attempt: attempt)
    }

    /// Returns the names in a directory that match a pattern, in the order of their bytes.
    ///
    /// As in a shell, the wildcards do not match a dot at the start of a name.
    ///
    /// - Parameters:
    ///   - directory: The directory; if it does not exist, no name matches.
    ///   - pattern: A pattern as in glob(7).
    ///   - limit: The most names that the caller accepts.
    /// - Returns: The names, or more than `limit` of them if there are more.
    /// - Throws: See open(2) and readdir(3).
    func names(
        in directory: FilePath,
        matching pattern: String,
        upTo limit: Int
    ) throws(Errno) -> [String] {
        let file: FileDescriptor
        do throws(Errno) {
            if let attempt {
                file = try attempt { () throws(Errno) in try Self.open(directory) }
            } else {
                file = try Self.open(directory)
            }
        } catch .noSuchFileOrDirectory {
            return []
        }
        guard let stream = unsafe fdopendir(file.rawValue) else {
            let error = Errno(rawValue: errno)
            try? file.close()
            throw error
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        for _ in 0..<Self.nameLimit where names.count <= limit {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw Errno(rawValue: errno) }
                return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if unsafe fnmatch(pattern, name, FNM_PERIOD) == 0 { names.append(name) }
        }
        throw .fileTooLarge
    }

    private static func open(_ directory: FilePath) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                directory,
                .readOnly,
                options: [.closeOnExec, .directory, .nonBlocking]
            )
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError  // The call above throws nothing else.
        }
    }
}
