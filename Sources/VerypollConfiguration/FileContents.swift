internal import Glibc
package import SystemPackage

extension FileDescriptor.OpenOptions {
    /// A terminal that is opened does not become that of the process.
    fileprivate static var noControllingTerminal: Self { Self(rawValue: O_NOCTTY) }
}

/// Calls its argument, which opens a file, until that succeeds or another try is of no use: so the
/// daemon opens its configuration even if it is out of descriptors.
package typealias OpenAttempt =
    (_ open: () throws(Errno) -> FileDescriptor) throws(Errno) -> FileDescriptor

/// The bytes of a regular file.
enum FileContents {
    /// Why a file can't be read.
    enum Failure: Error, Equatable {
        /// A system call failed.
        case system(Errno)
        /// It is no regular file, but what the text says: "a FIFO".
        case notRegular(String)
    }

    /// Reads a file whole.
    ///
    /// Other kinds of files are refused, because reading them can block without end. A regular file
    /// blocks only if its file system hangs.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The most bytes that are of interest.
    ///   - attempt: Makes the call that opens the file, again if it has to.
    /// - Returns: The bytes; more than `limit` if the file has more, though not all of them.
    /// - Throws: See open(2) and read(2).
    static func read(
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

    /// Names the kind of an open file; `nil` if it is a regular file or a directory, of which
    /// read(2) says so.
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
