internal import FoundationEssentials
internal import SystemPackage
internal import VerypollConfiguration
internal import VerypollControl

/// A configuration file and its text.
struct ConfigurationFile {
    /// The path that the user gave.
    let name: String
    let text: String

    /// The absolute path, or `nil` if the working directory is unknown.
    var path: String? {
        if name.hasPrefix("/") { return name }
        let folder = FileManager.default.currentDirectoryPath
        return folder.isEmpty ? nil : "\(folder)/\(name)"
    }

    /// Reads a file.
    init(_ name: String) throws(Failure) {
        self.name = name
        do {
            try Self.checkKind(of: name)
            let data = try Data(contentsOf: URL(filePath: name))
            guard let text = String(validating: data, as: UTF8.self) else {
                throw Self.failure(name, "is not valid UTF-8 text")
            }
            self.text = text
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Self.failure(name, "can't be read: \(Self.reason(of: error))")
        }
    }

    /// Reads a file or, if none is named, the daemon's own.
    ///
    /// - Returns: `nil` if the daemon runs with its built-in default.
    init?(_ name: String?, asking daemon: inout DaemonConnection) throws(Failure) {
        if let name {
            try self.init(name)
            return
        }
        let answer = try daemon.call(
            DaemonInterface.Method.getConfig.rawValue,
            as: EffectiveConfiguration.self
        )
        guard let path = answer.path else { return nil }
        try self.init(path)
    }

    /// Asks the daemon to check the text.
    ///
    /// If the text refers to files or variables, they are resolved and checked here, because the
    /// daemon reads no files for a client. Problems name the file as the user did.
    ///
    /// - Parameters:
    ///   - daemon: The connection.
    ///   - variables: The values of variables.
    /// - Returns: The changes that loading the file would make, and the paths of all files.
    /// - Throws: The problems of the configuration, or the reason why it could not be checked.
    func check(
        asking daemon: inout DaemonConnection,
        _ variables: Variables
    ) throws(Failure) -> (changes: ChangeList, paths: [String]) {
        let resolved: ResolvedText?
        do throws(ConfigurationError) {
            resolved = try ResolvedText(
                text,
                file: name,
                variables: variables,
                remedy: EnvironmentOption.remedy
            )
        } catch {
            throw Failure(error)
        }
        do throws(Failure) {
            var list = try daemon.patientCall(
                DaemonInterface.Method.checkConfig.rawValue,
                parameters: ConfigurationText(text: resolved?.text ?? text),
                as: ChangeList.self
            )
            if let resolved { list.changes = list.changes.map(resolved.concealed) }
            return (list, resolved?.paths ?? [path].compactMap { $0 })
        } catch {
            var failure = error
            for index in failure.problems.indices {
                failure.problems[index].file = name
                if let resolved {
                    failure.problems[index] = resolved.located(failure.problems[index])
                }
            }
            throw failure
        }
    }

    /// Rejects a file that is too large to be a configuration, or that is not a regular file.
    ///
    /// Reading a file that is not regular could block forever.
    private static func checkKind(of name: String) throws(Failure) {
        // If this fails, reading the file reports why.
        guard let status = try? Stat(FilePath(name)), status.type != .directory else { return }
        guard status.type == .regular else {
            throw failure(
                name,
                "is not a regular file; expected one (save the configuration as a regular file)"
            )
        }
        guard status.size <= 1 << 20 else {
            throw failure(name, "is larger than 1 MiB; make it smaller")
        }
    }

    private static func failure(_ name: String, _ message: String) -> Failure {
        let problem = Problem(file: name, line: nil, column: nil, pointer: "", message: message)
        return Failure(status: .invalidConfiguration, message: message, problems: [problem])
    }

    private static func reason(of error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: "no such file"
        case .fileReadNoPermission: "permission denied"
        default: "it is not a readable file"
        }
    }
}
