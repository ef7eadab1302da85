internal import ArgumentParser
internal import FoundationEssentials
internal import VerypollConfiguration

/// The option that names the environment of the daemon, for the variables of a configuration.
struct EnvironmentOption: ParsableArguments {
    /// The remedy for an unknown variable.
    static let remedy =
        "set it for this command too, name its file with --environment-file, or set"
        + " CREDENTIALS_DIRECTORY"

    @Option(
        help: ArgumentHelp(
            "A file with the variables that the configuration names.",
            discussion: """
                Each line is NAME=VALUE, as in the file of EnvironmentFile= of the service; a \
                value may be in quotes. These variables override those of the environment. As \
                root, the credentials of the running service are available with \
                CREDENTIALS_DIRECTORY=/run/credentials/verypolld.service.
                """,
            valueName: "path"
        ),
        completion: .file()
    )
    var environmentFile: String?

    /// Reads the variables.
    func variables() throws(Failure) -> Variables {
        guard let environmentFile else { return .ofProcess() }
        let file = try ConfigurationFile(environmentFile)
        var values: [String: String] = [:]
        for line in file.text.split(separator: "\n").map(Self.trim) {
            guard !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw Failure(
                    status: .usage,
                    message: "\(environmentFile): a line is not NAME=VALUE; correct the file"
                )
            }
            let value = Self.trim(line[line.index(after: equals)...])
            values[String(Self.trim(line[..<equals]))] = Self.unquoted(value)
        }
        return .ofProcess(overriding: values)
    }

    private static func trim(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character.isWhitespace }
        guard let end = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return text[...end].drop(while: isSpace)
    }

    private static func unquoted(_ value: Substring) -> String {
        for quote in ["\"", "'"] where value.count > 1 && value.hasPrefix(quote) {
            if value.hasSuffix(quote) { return String(value.dropFirst().dropLast()) }
        }
        return String(value)
    }
}
