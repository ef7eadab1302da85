internal import Glibc
internal import SystemPackage

/// A checked configuration and its file.
package struct LoadedConfiguration: Sendable {
    package let configuration: Configuration
    /// The absolute path of the file, or `nil` for the built-in default.
    package let path: String?
    /// The most descriptors that the daemon can have.
    package let descriptorLimit: Int
    /// The absolute path of the file that the command line names, if any.
    private let givenPath: String?

    /// The file that is read if the command line names none.
    package static let defaultPath = "/etc/verypolld/verypolld.json"

    /// Reads and checks a configuration.
    ///
    /// - Parameters:
    ///   - path: The file; `nil` for ``defaultPath`` or, if that file does not exist, the built-in
    ///     default.
    ///   - descriptorLimit: The most descriptors that the daemon can have.
    /// - Throws: All problems of the configuration.
    package init(path: String?, descriptorLimit: Int) throws(ConfigurationError) {
        try self.init(path: path, descriptorLimit: descriptorLimit, after: nil)
    }

    /// Reads and checks the next configuration, for a reload.
    ///
    /// - Parameters:
    ///   - attempt: Calls the function that opens the file, and repeats the call if needed.
    ///   - hasRead: Called as soon as the file has been read and closed.
    /// - Returns: The configuration.
    /// - Throws: All problems of the configuration, and all changes that a reload cannot make.
    package func next(
        attempt: OpenAttempt? = nil,
        hasRead: () -> Void
    ) throws(ConfigurationError) -> LoadedConfiguration {
        try LoadedConfiguration(
            path: givenPath,
            descriptorLimit: descriptorLimit,
            after: configuration,
            attempt: attempt,
            hasRead: hasRead
        )
    }

    /// The file that ``next(attempt:hasRead:)`` reads.
    package var nextPath: String { givenPath ?? Self.defaultPath }

    private init(
        path: String?,
        descriptorLimit: Int,
        after former: Configuration?,
        attempt: OpenAttempt? = nil,
        hasRead: () -> Void = {}
    ) throws(ConfigurationError) {
        self.descriptorLimit = descriptorLimit
        givenPath = path.map(Self.absolutePath)
        let exists = unsafe access(Self.defaultPath, F_OK) == 0 || errno != ENOENT
        if let file = path ?? (exists ? Self.defaultPath : nil) {
            self.path = Self.absolutePath(of: file)
            configuration = try Configuration.load(
                file: file,
                descriptorLimit: descriptorLimit,
                after: former,
                attempt: attempt,
                hasRead: hasRead
            )
        } else {
            hasRead()
            self.path = nil
            configuration = try Configuration(
                parsing: Configuration.embeddedDefault,
                file: "the built-in default",
                descriptorLimit: descriptorLimit,
                after: former
            )
        }
    }
}

extension LoadedConfiguration {
    /// Returns the absolute path of a file.
    ///
    /// Clients of the control socket get this path, and they may have other working directories.
    private static func absolutePath(of file: String) -> String {
        guard FilePath(file).isRelative, let folder = unsafe getcwd(nil, 0) else { return file }
        defer { unsafe free(folder) }
        return unsafe FilePath(platformString: folder).appending(file).string
    }
}
