package import StrictJSON
internal import SystemPackage

extension Configuration {
    /// The maximum size of a configuration file with the files that it includes, in bytes.
    package static let maximumByteCount = 1 << 20

    /// Parses and checks the text of a configuration.
    ///
    /// - Parameters:
    ///   - text: The bytes of the file, at most ``maximumByteCount`` with the included files.
    ///   - file: The name of the file in problems.
    ///   - descriptorLimit: The most descriptors that the daemon may have; see getrlimit(2).
    ///   - former: The current configuration of a running daemon, for a reload.
    ///   - surroundings: The files and variables; `nil` for a text that can name neither.
    /// - Throws: `ConfigurationError` with every problem, or with the first error in the JSON
    ///   syntax.
    package init(
        parsing text: [UInt8],
        file: String,
        descriptorLimit: Int,
        after former: Configuration? = nil,
        surroundings: Surroundings? = nil
    ) throws(ConfigurationError) {
        (self, _) = try Self.parse(
            text,
            file: file,
            descriptorLimit: descriptorLimit,
            after: former,
            surroundings: surroundings
        )
    }

    /// Parses and checks the text of a configuration.
    ///
    /// - Returns: The configuration, and the document that contains all files.
    static func parse(
        _ text: [UInt8],
        file: String,
        descriptorLimit: Int,
        after former: Configuration? = nil,
        surroundings: Surroundings?
    ) throws(ConfigurationError) -> (Configuration, JSONValue) {
        let problems = ProblemList(file: file)
        var reader = SourceReader(surroundings, problems: problems)
        problems.root = try reader.document(of: text)
        let root = ObjectReader(problems.root, Self.keys, at: .root, problems: problems)
        let lists = AddressFileReader(surroundings, problems: problems)
        var configuration = Configuration(root, descriptorLimit: descriptorLimit, files: lists)
        configuration.check(descriptorLimit: descriptorLimit, reportingTo: problems)
        if let former { configuration.check(after: former, reportingTo: problems) }
        try problems.throwIfAny()
        configuration.files = Uncompared(problems.files + lists.paths)
        configuration.concealment = Uncompared(problems.concealment)
        for index in configuration.upstreams.indices {
            let place = JSONPointer(["upstreams", configuration.upstreams[index].name, "check"])
            let isSecret = problems.concealment.hasStrings(below: place)
            configuration.upstreams[index].check?.hidesAnswers = isSecret
        }
        return (configuration, problems.root)
    }

    /// Reads, parses and checks a configuration file.
    ///
    /// - Parameters:
    ///   - file: The path of the file.
    ///   - descriptorLimit: The most descriptors that the daemon may have; see getrlimit(2).
    ///   - former: The current configuration of a running daemon, for a reload.
    ///   - surroundings: The files and variables to which the file can refer.
    /// - Returns: The configuration.
    /// - Throws: `ConfigurationError` with every problem.
    static func load(
        file: String,
        descriptorLimit: Int,
        after former: Configuration? = nil,
        surroundings: Surroundings = Surroundings()
    ) throws(ConfigurationError) -> Configuration {
        let text: [UInt8]
        do throws(FileContents.Failure) {
            text = try surroundings.files.read(FilePath(file), upTo: maximumByteCount)
        } catch {
            throw ConfigurationError(file: file, error.text(of: "configuration"))
        }
        return try Configuration(
            parsing: text,
            file: file,
            descriptorLimit: descriptorLimit,
            after: former,
            surroundings: surroundings
        )
    }

    /// Returns the name of the file that contains a position.
    package func file(of position: SourcePosition?) -> String? {
        let index = position?.file ?? 0
        return files.value.indices.contains(index) ? files.value[index] : nil
    }
}

extension FileContents.Failure {
    /// Returns the problem and its remedy; `kind` is the purpose of the file, such as
    /// "configuration".
    func text(of kind: String) -> String {
        switch self {
        case .system(let error):
            "can't be read: \(error) (errno \(error.rawValue)); \(Self.remedy(for: error))"
        case .notRegular(let name):
            "is \(name); expected a regular file (save the \(kind) as a regular file)"
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
