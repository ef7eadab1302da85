internal import SystemPackage

/// The bytes of a file.
enum FileContents {
    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - path: The file, which may also be a pipe.
    ///   - limit: The most bytes that are of interest.
    /// - Returns: The bytes; more than `limit` if the file has more, though not all of them.
    /// - Throws: See open(2) and read(2).
    static func read(_ path: String, upTo limit: Int) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
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
            throw error
        } catch {
            throw .ioError  // The calls above throw nothing else.
        }
    }
}
