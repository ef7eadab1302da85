internal import CVerypoll
internal import Glibc
internal import SystemPackage
internal import Verypoll

/// A file in memory that nobody can change any more, not even who has written it; see
/// memfd_create(2).
enum SealedFile {
    /// Makes a file of these bytes.
    ///
    /// - Parameters:
    ///   - bytes: All that will ever be in it.
    ///   - name: What `/proc` calls it.
    /// - Returns: The file, to be passed on.
    /// - Throws: `Errno.noMemory` if there is no room for them.
    static func make(_ bytes: [UInt8], named name: String) throws(Errno) -> OwnedFD {
        let number = unsafe cverypoll_memfd(name)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        let descriptor = FileDescriptor(rawValue: number)
        let file = OwnedFD(adopting: descriptor)
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw error as? Errno ?? .ioError
        }
        guard cverypoll_seal(number) == 0 else { throw Errno(rawValue: errno) }
        return file
    }

    /// Reads all of it.
    ///
    /// - Parameters:
    ///   - file: A file that is sealed.
    ///   - limit: The most bytes that it may have.
    /// - Returns: Its bytes.
    /// - Throws: `Errno.invalidArgument` if it is not sealed, `Errno.fileTooLarge`.
    static func read(_ file: borrowing OwnedFD, limit: Int) throws(Errno) -> [UInt8] {
        let descriptor = file.fileDescriptor
        guard cverypoll_is_sealed(descriptor.rawValue) != 0 else { throw .invalidArgument }
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
