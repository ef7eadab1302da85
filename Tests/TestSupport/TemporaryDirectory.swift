internal import Glibc
internal import SystemPackage

/// A new directory that is deleted with its contents at the end of its scope.
package struct TemporaryDirectory: ~Copyable, Sendable {
    /// The directory's absolute path, without a trailing slash.
    package let path: String

    /// Makes a directory that only this user can access.
    ///
    /// The path is short, because a Unix-domain socket's path is limited to 107 bytes.
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

    /// Returns the path of `name` in the directory.
    package func appending(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file in the directory and returns its path.
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
