internal import CVerypoll
internal import Glibc
package import SystemPackage
package import Verypoll

/// A file in memory that nobody can change any more, not even who has written it; see
/// memfd_create(2).
package enum SealedFile {
    /// Makes a file of these bytes.
    ///
    /// - Parameters:
    ///   - bytes: All that will ever be in it.
    ///   - name: What `/proc` calls it.
    /// - Returns: The file, to be passed on.
    /// - Throws: `Errno.noMemory` if there is no room for them.
    static func make(_ bytes: [UInt8], named name: String) throws(Errno) -> OwnedFD {
        let file = try open(bytes, named: name)
        guard cverypoll_seal(file.fileDescriptor.rawValue) == 0 else {
            throw Errno(rawValue: errno)
        }
        return file
    }

    /// Makes a file that begins with these bytes, and which ``append(_:to:)`` goes on with.
    package static func open(_ bytes: [UInt8], named name: String) throws(Errno) -> OwnedFD {
        let number = unsafe cverypoll_memfd(name)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        let file = OwnedFD(adopting: FileDescriptor(rawValue: number))
        try append(bytes, to: file)
        return file
    }

    /// Writes bytes where the last ones have ended.
    package static func append(_ bytes: [UInt8], to file: borrowing OwnedFD) throws(Errno) {
        do {
            try file.fileDescriptor.writeAll(bytes)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Reads all of it.
    ///
    /// - Parameters:
    ///   - file: A file that is sealed.
    ///   - limit: The most bytes that it may have.
    ///   - isSealed: Whether it has to be sealed; else its writer may be in the midst of it.
    /// - Returns: Its bytes.
    /// - Throws: `Errno.invalidArgument` if it is not sealed, `Errno.fileTooLarge`.
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
