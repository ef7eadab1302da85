internal import CVerypoll
internal import Glibc
package import SystemPackage
package import Verypoll

/// A file in memory that nobody can change any more, not even the process that wrote it; see
/// memfd_create(2).
package enum SealedFile {
    /// Makes a file with these bytes.
    ///
    /// - Parameters:
    ///   - bytes: The whole contents.
    ///   - name: The name that `/proc` shows.
    /// - Returns: The file, ready to be passed to another process.
    /// - Throws: `Errno.noMemory` if there is not enough memory.
    static func make(_ bytes: [UInt8], named name: String) throws(Errno) -> OwnedFD {
        let file = try open(bytes, named: name)
        guard cverypoll_seal(file.fileDescriptor.rawValue) == 0 else {
            throw Errno(rawValue: errno)
        }
        return file
    }

    /// Makes a file that begins with these bytes and can still grow; see ``append(_:to:)``.
    package static func open(_ bytes: [UInt8], named name: String) throws(Errno) -> OwnedFD {
        let number = unsafe cverypoll_memfd(name)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        let file = OwnedFD(adopting: FileDescriptor(rawValue: number))
        try append(bytes, to: file)
        return file
    }

    /// Appends bytes to the file.
    package static func append(_ bytes: [UInt8], to file: borrowing OwnedFD) throws(Errno) {
        do {
            try file.fileDescriptor.writeAll(bytes)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Reads the whole file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - limit: The most bytes that it may have.
    ///   - isSealed: Whether to require a sealed file; another process may still be writing to an
    ///     unsealed one.
    /// - Returns: The contents.
    /// - Throws: `Errno.invalidArgument` if the file is not sealed, `Errno.fileTooLarge` if it is
    ///   longer than `limit`.
    package static func read(
        _ file: borrowing OwnedFD,
        limit: Int,
        isSealed: Bool = true
    ) throws(Errno) -> [UInt8] {
        let descriptor = file.fileDescriptor
        guard !isSealed || cverypoll_is_sealed(descriptor.rawValue) != 0 else {
            throw .invalidArgument
        }
        let size = Int(lseek(descriptor.rawValue, 0, SEEK_END))
        guard size >= 0 else { throw Errno(rawValue: errno) }
        guard size <= limit else { throw .fileTooLarge }
        do {
            return try unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while count < size {
                    let rest = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
                    let part = try unsafe descriptor.read(
                        fromAbsoluteOffset: Int64(count),
                        into: UnsafeMutableRawBufferPointer(rest)
                    )
                    guard part > 0 else { break }
                    count += part
                }
            }
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
