package import StrictJSON
internal import SystemPackage

extension Configuration {
    /// The maximum size of a configuration file, in bytes.
    package static let maximumByteCount = 1 << 20

    /// Parses and checks the text of a configuration.
    ///
    /// - Parameters:
    ///   - text: The bytes of the file, at most ``maximumByteCount``.
    ///   - file: The name of the file in problems.
    ///   - descriptorLimit: The most descriptors that the daemon may have; see getrlimit(2).
    ///   - former: The current configuration of a running daemon, for a reload.
    /// - Throws: `ConfigurationError` with every problem, or with the first error in the JSON
    ///   syntax.
    package init(
        parsing text: [UInt8],
        file: String,
        descriptorLimit: Int,
        after former: Configuration? = nil
    ) throws(ConfigurationError) {
        guard text.count <= Self.maximumByteCount else {
            throw ConfigurationError(
                file: file,
                "is larger than \(Self.maximumByteCount >> 20) MiB; make it smaller"
            )
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: text)
        } catch {
            throw ConfigurationError(file: file, position: error.position, error.message)
        }
        let problems = ProblemList(file: file, document: document)
        let root = ObjectReader(document.root, Self.keys, at: .root, problems: problems)
        self.init(root, descriptorLimit: descriptorLimit)
        check(descriptorLimit: descriptorLimit, reportingTo: problems)
        if let former { check(after: former, reportingTo: problems) }
        try problems.throwIfAny()
    }

    /// Reads, parses and checks a configuration file.
    ///
    /// - Parameters:
    ///   - file: The path of the file.
    ///   - descriptorLimit: The most descriptors that the daemon may have; see getrlimit(2).
    ///   - former: The current configuration of a running daemon, for a reload.
    ///   - attempt: Calls the function that opens the file, and repeats the call if needed.
    ///   - hasRead: Called as soon as the file has been read and closed.
    /// - Returns: The configuration.
    /// - Throws: `ConfigurationError` with every problem.
    static func load(
        file: String,
        descriptorLimit: Int,
        after former: Configuration? = nil,
        attempt: OpenAttempt? = nil,
        hasRead: () -> Void = {}
    ) throws(ConfigurationError) -> Configuration {
        let text: [UInt8]
        do throws(FileContents.Failure) {
            text = try FileContents.read(file, upTo: maximumByteCount, attempt: attempt)
        } catch {
            throw ConfigurationError(file: file, description(of: error))
        }
        hasRead()
        return try Configuration(
            parsing: text,
            file: file,
            descriptorLimit: descriptorLimit,
            after: former
        )
    }

    private static func description(of failure: FileContents.Failure) -> String {
        switch failure {
        case .system(let error):
            "can't be read: \(error) (errno \(error.rawValue)); \(remedy(for: error))"
        case .notRegular(let kind):
            "is \(kind); expected a regular file (save the configuration as a regular file)"
        }
    }

    private static func remedy(for error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory: "write the file, or name another one"
        case .permissionDenied: "allow the daemon's user to read it"
        case .isDirectory: "name a file in this directory"
        case .noSuchAddressOrDevice: "name a regular file"
        default: "see open(2) and read(2)"
        }
    }
}

extension ConfigurationError {
    /// Makes an error with one problem, which concerns the whole file.
    package init(file: String, position: SourcePosition? = nil, _ message: String) {
        self.init(
            problems: [
                ConfigurationProblem(
                    file: file,
                    position: position,
                    pointer: "",
                    message: message
                )
            ]
        )
    }
}
