internal import Glibc
internal import SystemPackage

/// A configuration, and the file that it was read from: `nil` for the built-in default.
package struct LoadedConfiguration: Sendable {
    /// The configuration, checked.
    package let configuration: Configuration
    /// The absolute path of the file.
    package let path: String?
    /// How many descriptors the daemon can have.
    package let descriptorLimit: Int
    /// The absolute path that the command line names, if it names one.
    private let givenPath: String?

    /// The file that is read where the command line names none.
    package static let defaultPath = "/etc/verypolld/verypolld.json"

    /// Reads and checks a configuration.
    ///
    /// - Parameters:
    ///   - path: The file; `nil` is ``defaultPath`` or, where there is no such file, the built-in
    ///     default.
    ///   - descriptorLimit: How many descriptors the daemon can have.
    /// - Throws: Everything that is wrong with it.
    package init(path: String?, descriptorLimit: Int) throws(ConfigurationError) {
        try self.init(path: path, descriptorLimit: descriptorLimit, after: nil)
    }

    /// Reads and checks the configuration that is to take the place of this one.
    ///
    /// - Parameters:
    ///   - attempt: Makes the call that opens the file, again if it has to.
    ///   - hasRead: Called when the file has been read, and is not needed any more.
    /// - Returns: The configuration.
    /// - Throws: Everything that is wrong with it, and what cannot be changed by a reload.
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
    /// The path from the root, as those who ask the daemon for it work in other folders.
    private static func absolutePath(of file: String) -> String {
        guard FilePath(file).isRelative, let folder = unsafe getcwd(nil, 0) else { return file }
        defer { unsafe free(folder) }
        return unsafe FilePath(platformString: folder).appending(file).string
    }
}
