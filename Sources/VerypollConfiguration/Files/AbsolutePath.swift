internal import Glibc
internal import SystemPackage

/// Makes paths absolute.
enum AbsolutePath {
    /// Returns the absolute path of a file.
    ///
    /// Clients of the control socket get this path, and they may have other working directories.
    static func of(_ file: String) -> String {
        guard FilePath(file).isRelative, let folder = unsafe getcwd(nil, 0) else { return file }
        defer { unsafe free(folder) }
        return unsafe FilePath(platformString: folder).appending(file).string
    }
}
