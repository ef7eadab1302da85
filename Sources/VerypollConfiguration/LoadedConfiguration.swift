internal import Glibc
package import StrictJSON
internal import SystemPackage

/// A checked configuration and its file.
package struct LoadedConfiguration: Sendable {
    package let configuration: Configuration
    /// The absolute path of the file, or `nil` for the built-in default.
    package let path: String?
    /// The time just before the file was read, in microseconds since 1970-01-01 UTC.
    package let readAt: Int
    /// The absolute paths of all files that were read.
    package let paths: [String]
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
    ///   - surroundings: The files and variables to which the configuration can refer.
    /// - Throws: All problems of the configuration.
    package init(
        path: String?,
        descriptorLimit: Int,
        surroundings: Surroundings = Surroundings()
    ) throws(ConfigurationError) {
        try self.init(
            path: path,
            descriptorLimit: descriptorLimit,
            after: nil,
            surroundings: surroundings
        )
    }

    /// Reads and checks the next configuration, for a reload.
    ///
    /// - Parameters:
    ///   - attempt: Calls the functions that open files, and repeats a call if needed.
    ///   - hasRead: Called as soon as the file, and all files to which it refers, have been read.
    /// - Returns: The configuration.
    /// - Throws: All problems of the configuration, and all changes that a reload cannot make.
    package func next(
        attempt: OpenAttempt? = nil,
        hasRead: () -> Void
    ) throws(ConfigurationError) -> LoadedConfiguration {
        defer { hasRead() }
        return try LoadedConfiguration(
            path: givenPath,
            descriptorLimit: descriptorLimit,
            after: configuration,
            surroundings: Surroundings(attempt: attempt)
        )
    }

    /// The file that ``next(attempt:hasRead:)`` reads.
    package var nextPath: String { givenPath ?? Self.defaultPath }

    private init(
        path: String?,
        descriptorLimit: Int,
        after former: Configuration?,
        surroundings: Surroundings
    ) throws(ConfigurationError) {
        readAt = Self.now()
        self.descriptorLimit = descriptorLimit
        givenPath = path.map(AbsolutePath.of)
        let exists = unsafe access(Self.defaultPath, F_OK) == 0 || errno != ENOENT
        if let file = path ?? (exists ? Self.defaultPath : nil) {
            self.path = AbsolutePath.of(file)
            configuration = try Configuration.load(
                file: file,
                descriptorLimit: descriptorLimit,
                after: former,
                surroundings: surroundings
            )
            paths = configuration.files.value.map(AbsolutePath.of)
        } else {
            self.path = nil
            paths = []
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
    /// Returns the absolute path of the file that contains a position.
    package func path(of position: SourcePosition?) -> String? {
        guard path != nil, let file = configuration.file(of: position) else { return path }
        return AbsolutePath.of(file)
    }

    /// Returns the current time of the clock from which files get their times.
    private static func now() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }
}
