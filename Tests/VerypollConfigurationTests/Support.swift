internal import Foundation
internal import SystemPackage

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

/// Parses a configuration, by default with a high descriptor limit.
func configuration(
    _ text: String,
    descriptorLimit: Int = 1 << 20
) throws(ConfigurationError) -> Configuration {
    try Configuration(
        parsing: Array(text.utf8),
        file: "test.json",
        descriptorLimit: descriptorLimit
    )
}

/// Returns the problems of a configuration, without the file name.
func problems(in text: String, descriptorLimit: Int = 1 << 20) -> [String] {
    do {
        _ = try configuration(text, descriptorLimit: descriptorLimit)
        return []
    } catch {
        return error.problems.map { String($0.description.dropFirst("test.json:".count)) }
    }
}

/// Returns the problems of a configuration, without file name, line and column.
func complaints(about text: String, descriptorLimit: Int = 1 << 20) -> [String] {
    problems(in: text, descriptorLimit: descriptorLimit).map { problem in
        problem.split(separator: ": ", maxSplits: 1).dropFirst().joined()
    }
}

/// Returns the text of a configuration with one listener, `web`, with these additional keys.
func listener(_ keys: String = "", listen: String = "127.0.0.1:80") -> String {
    """
    {"listeners": {"web": {"listen": ["\(listen)"], "handler": {"type": "echo"}
    \(keys.isEmpty ? "" : ", " + keys)}}}
    """
}

/// Returns the text of a configuration with one upstream, `app`, with these keys.
func upstream(_ keys: String) -> String {
    """
    {"listeners": {"web": {"listen": ["127.0.0.1:80"], "handler": {"type": "echo"}}},
    "upstreams": {"app": {\(keys)}}}
    """
}

/// Returns the bytes of a file of the repository.
func repositoryFile(_ path: String) throws -> [UInt8] {
    try FileContents.read(absolute(path), upTo: 1 << 20)
}

/// Returns the paths of the files in config/examples, relative to the repository.
func exampleFiles() throws -> [String] {
    let folder = "config/examples"
    let names = try FileManager.default.contentsOfDirectory(atPath: absolute(folder))
    return names.sorted().map { "\(folder)/\($0)" }
}

private func absolute(_ path: String) -> String {
    FilePath(#filePath).removingLastComponent().appending("../..").appending(path).string
}

/// Returns the reason why a value is rejected.
func reason(_ body: () throws(InvalidValue) -> Void) -> String {
    do {
        try body()
        return "none"
    } catch {
        return error.reason
    }
}
