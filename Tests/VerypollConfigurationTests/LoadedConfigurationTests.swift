internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("LoadedConfiguration")
struct LoadedConfigurationTests {
    @Test("a file is identified by its absolute path, however it was named")
    func absolutePath() throws {
        let folder = try TemporaryDirectory()
        let text = String(decoding: Configuration.embeddedDefault, as: UTF8.self)
        let file = try folder.write(text, to: "verypolld.json")
        // The parent of the root is the root, so this names the file in any working directory.
        let relative = String(repeating: "../", count: 64) + file.dropFirst()

        let absolute = try LoadedConfiguration(path: file, descriptorLimit: 1024)
        #expect(absolute.path == file)
        let loaded = try LoadedConfiguration(path: relative, descriptorLimit: 1024)
        let path = try #require(loaded.path)
        #expect(path.hasPrefix("/"))
        #expect(path.hasSuffix(relative))
    }

    @Test("a file is loaded from its path")
    func loads() throws {
        let path = FilePath(#filePath).removingLastComponent()
            .appending("../../config/examples/inetd-services.json").string
        let configuration = try Configuration.load(file: path, descriptorLimit: 1024)
        #expect(
            configuration.listeners.map(\.name) == ["echo", "discard", "daytime", "chargen"]
        )
    }

    @Test(
        "an unreadable file is one problem with a remedy",
        arguments: [
            (
                "/nowhere/verypolld.json",
                "No such file or directory (errno 2); write the file, or name another one"
            ),
            ("/", "Is a directory (errno 21); name a file in this directory"),
            ("/dev/null/x", "Not a directory (errno 20); write the file, or name another one"),
        ]
    )
    func unreadable(path: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: path, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(path): can't be read: \(expected)")
        #expect(error?.problems.first?.position == nil)
    }

    @Test("a huge file is read only far enough to show that it is too large")
    func endless() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("{", to: "huge.json")
        // The file is sparse, so it uses no disk space.
        let isTruncated = unsafe truncate(file, 1 << 40) == 0
        #expect(isTruncated)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: file, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(file): is larger than 1 MiB; make it smaller")
    }

    @Test("a FIFO is rejected at once, even without a writer")
    func refusesPipe() throws {
        let folder = try TemporaryDirectory()
        let file = folder.appending("pipe")
        let isMade = unsafe mkfifo(file, 0o600) == 0
        #expect(isMade)
        let expected =
            "is a FIFO; expected a regular file (save the configuration as a regular file)"
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: file, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(file): \(expected)")
    }

    @Test("devices are rejected", arguments: ["/dev/zero", "/dev/null", "/dev/tty"])
    func refusesDevice(path: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: path, descriptorLimit: 1024)
        }
        let remedies = ["is a character device", "No such device or address"]
        #expect(remedies.contains { error?.description.contains($0) == true })
    }
}
