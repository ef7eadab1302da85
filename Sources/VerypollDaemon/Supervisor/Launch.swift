#if Net && OSExt
package import Logging
internal import Glibc
internal import SystemPackage
internal import Systemd

/// What the command line says.
package struct LaunchOptions: Sendable {
    /// The control socket in the place of the configured one.
    package var socketPath: String?
    /// The log level in the place of the configured one.
    package var logLevel: Logger.Level?

    /// Makes options of their parts.
    package init(
        socketPath: String? = nil,
        logLevel: Logger.Level? = nil
    ) {
        self.socketPath = socketPath
        self.logLevel = logLevel
    }
}

/// A configuration, and the file that it was read from: `nil` for the built-in default.
package struct LoadedConfiguration: Sendable {
    /// What is to be done.
    package let configuration: Configuration
    /// The absolute path of the file.
    package let path: String?
    /// How many descriptors the daemon can have.
    let descriptorLimit: Int
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
    ///   - descriptors: What the file is read with if the process has no other descriptor.
    ///   - hasRead: Called when the file has been read, and is not needed any more.
    /// - Returns: The configuration.
    /// - Throws: Everything that is wrong with it, and what cannot be changed by a reload.
    func next(
        _ descriptors: DescriptorReserve,
        hasRead: () -> Void
    ) throws(ConfigurationError) -> LoadedConfiguration {
        try LoadedConfiguration(
            path: givenPath,
            descriptorLimit: descriptorLimit,
            after: configuration,
            descriptors: descriptors,
            hasRead: hasRead
        )
    }

    /// The file that ``next(_:hasRead:)`` reads.
    var nextPath: String { givenPath ?? Self.defaultPath }

    private init(
        path: String?,
        descriptorLimit: Int,
        after former: Configuration?,
        descriptors: DescriptorReserve? = nil,
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
                descriptors: descriptors,
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

/// Why the daemon does not start, but for its configuration, or does not go on.
package struct LaunchError: Error, CustomStringConvertible {
    package let description: String
}

extension FilePath {
    /// Where the control socket is if neither the command line nor the file says so.
    ///
    /// `control.sock` in the runtime directory that systemd made for the service; else in
    /// `/run/verypolld` for root, and in `$XDG_RUNTIME_DIR/verypolld` for others who have that.
    static var defaultControlSocket: FilePath {
        func variable(_ name: String) -> String? {
            unsafe getenv(name).map { unsafe String(cString: $0) }
        }
        // The directories of the unit are separated by colons.
        let given = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first.map(String.init)
        let own = geteuid() == 0 ? nil : variable("XDG_RUNTIME_DIR").map { $0 + "/verypolld" }
        return FilePath(given ?? own ?? "/run/verypolld").appending("control.sock")
    }
}
#endif
