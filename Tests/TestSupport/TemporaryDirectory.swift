internal import Glibc
internal import SystemPackage

/// A new directory that goes away, with all that is in it, at the end of its scope.
package struct TemporaryDirectory: ~Copyable, Sendable {
    /// The directory's absolute path, without a slash at the end.
    package let path: String

    /// Makes a directory that only this user may enter.
    ///
    /// The path is short, because that of a Unix-domain socket may have 107 bytes only.
    package init() throws {
        var template = Array("/tmp/verypoll-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) != nil } ?? false
        }
        guard made else { throw Errno(rawValue: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        _ = try? Program.run("/bin/rm", ["-rf", "--", path])
    }

    /// The path of `name` in the directory.
    package func appending(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file into the directory, and returns its path.
    package func write(_ text: String, to name: String) throws -> String {
        let file = try FileDescriptor.open(
            FilePath(appending(name)),
            .writeOnly,
            options: [.create, .truncate, .closeOnExec],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
        return appending(name)
    }
}
