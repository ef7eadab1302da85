internal import Glibc
package import SystemPackage

extension FileDescriptor.OpenOptions {
    /// An opened terminal does not become the controlling terminal of the process.
    fileprivate static var noControllingTerminal: Self { Self(rawValue: O_NOCTTY) }
}

/// Calls a function that opens a file, and repeats the call as long as that can help.
///
/// With it, the daemon opens its configuration even if it is out of descriptors.
package typealias OpenAttempt =
    (_ open: () throws(Errno) -> FileDescriptor) throws(Errno) -> FileDescriptor

/// The bytes of a regular file.
package enum FileContents {
    /// The reason why a file can't be read.
    package enum Failure: Error, Equatable {
        /// A system call failed.
        case system(Errno)
        /// The file is not a regular file; the text names its kind, such as "a FIFO".
        case notRegular(String)
    }

    /// Reads a regular file.
    ///
    /// Other kinds of files are refused, because reading them can block forever. Reading a regular
    /// file blocks only if its file system hangs.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The most bytes that the caller accepts.
    ///   - attempt: Calls the function that opens the file, and repeats the call if needed.
    /// - Returns: All bytes of the file, or, if the file is larger than `limit`, more than `limit`
    ///   bytes of it.
    /// - Throws: See open(2) and read(2).
    package static func read(
        _ path: String,
        upTo limit: Int,
        attempt: OpenAttempt? = nil
    ) throws(Failure) -> [UInt8] {
        do {
            let file =
                if let attempt {
                    try attempt { () throws(Errno) in try open(path) }
                } else {
                    try open(path)
                }
            return try file.closeAfter {
                if let kind = try kind(of: file) { throw Failure.notRegular(kind) }
                var bytes: [UInt8] = []
                while bytes.count <= limit {
                    let chunk = try unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) {
                        $1 = try unsafe file.read(into: UnsafeMutableRawBufferPointer($0))
                    }
                    if chunk.isEmpty { break }
                    bytes += chunk
                }
                return bytes
            }
        } catch let error as Errno {
            throw .system(error)
        } catch let error as Failure {
            throw error
        } catch {
            throw .system(.ioError)  // The calls above throw nothing else.
        }
    }

    private static func open(_ path: String) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                FilePath(path),
                .readOnly,
                options: [.closeOnExec, .nonBlocking, .noControllingTerminal]
            )
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError  // The call above throws nothing else.
        }
    }

    /// Returns the kind of an open file, or `nil` for a regular file and for a directory, which
    /// read(2) refuses by itself.
    private static func kind(of file: FileDescriptor) throws -> String? {
        switch try Stat(file).type {
        case .regular, .directory: nil
        case .fifo: "a FIFO"
        case .characterSpecial: "a character device"
        case .blockSpecial: "a block device"
        case .socket: "a socket"
        default: "a special file"
        }
    }
}
