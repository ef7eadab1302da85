internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Verypoll

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Files of configurations")
struct ConfigurationFileTests {
    @Test("the embedded default is config/default.json, and parses")
    func embeddedDefault() throws {
        #expect(try repositoryFile("config/default.json") == Configuration.embeddedDefault)
        let configuration = try Configuration(
            parsing: Configuration.embeddedDefault,
            file: "default",
            descriptorLimit: 1024
        )
        #expect(configuration.listeners.map(\.addresses) == [[.ip(.loopback(port: 7007))]])
        #expect(configuration.listeners.map(\.handler) == [.echo])
    }

    @Test("the file is known by its absolute path, however it was named")
    func absolutePath() throws {
        let folder = try TemporaryDirectory()
        let text = String(decoding: Configuration.embeddedDefault, as: UTF8.self)
        let file = try folder.write(text, to: "verypolld.json")
        // Above the root is the root, so this is the file wherever the tests run.
        let relative = String(repeating: "../", count: 64) + file.dropFirst()

        let absolute = try LoadedConfiguration(path: file, descriptorLimit: 1024)
        #expect(absolute.path == file)
        let loaded = try LoadedConfiguration(path: relative, descriptorLimit: 1024)
        let path = try #require(loaded.path)
        #expect(path.hasPrefix("/"))
        #expect(path.hasSuffix(relative))
    }

    @Test(
        "the examples are valid",
        arguments: ["inetd-services", "limits-and-timeouts", "proxy", "socket-activated"]
    )
    func examples(name: String) throws {
        let text = try repositoryFile("config/examples/\(name).json")
        let configuration = try Configuration(parsing: text, file: name, descriptorLimit: 1024)
        #expect(!configuration.listeners.isEmpty)
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
        "a file that can't be read is one problem with the remedy",
        arguments: [
            (
                "/nowhere/verypolld.json",
                "No such file or directory (errno 2); write the file, or name another"
            ),
            ("/", "Is a directory (errno 21); name a file in it"),
            ("/dev/null/x", "Not a directory (errno 20); write the file, or name another"),
        ]
    )
    func unreadable(path: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: path, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(path): can't be read: \(expected)")
        #expect(error?.problems.first?.position == nil)
    }

    @Test("of a huge file no more is read than shows that it is too large")
    func endless() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("{", to: "huge.json")
        // It takes no room on the disk.
        let isTruncated = unsafe truncate(file, 1 << 40) == 0
        #expect(isTruncated)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: file, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(file): is larger than 1 MiB; make it smaller")
    }

    @Test("a FIFO is refused at once, though nobody writes to it")
    func refusesPipe() throws {
        let folder = try TemporaryDirectory()
        let file = folder.appending("pipe")
        let isMade = unsafe mkfifo(file, 0o600) == 0
        #expect(isMade)
        let expected =
            "is a FIFO; expected a regular file (write the configuration to one, and name that)"
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: file, descriptorLimit: 1024)
        }
        #expect(error?.description == "\(file): \(expected)")
    }

    @Test("devices are refused", arguments: ["/dev/zero", "/dev/null", "/dev/tty"])
    func refusesDevice(path: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.load(file: path, descriptorLimit: 1024)
        }
        let remedies = ["is a character device", "No such device or address"]
        #expect(remedies.contains { error?.description.contains($0) == true })
    }

    @Test("a file that is cut anywhere is refused with its syntax alone")
    func truncated() throws {
        let text = try repositoryFile("config/examples/proxy.json")
        let end = try #require(text.lastIndex(of: UInt8(ascii: "}")))
        for length in 0..<end {
            #expect(throws: JSONSyntaxError.self) {
                try JSONDocument(parsing: Array(text[..<length]))
            }
        }
    }

    @Test("a file in which any byte is another is taken or refused with places in it")
    func corrupted() throws {
        let original = try repositoryFile("config/examples/limits-and-timeouts.json")
        let lineCount = original.count { $0 == UInt8(ascii: "\n") } + 2
        var refusals = 0
        for index in original.indices {
            for byte in Array("\"\\{],0".utf8) + [0xFF] {
                var text = original
                text[index] = byte
                do {
                    _ = try Configuration(parsing: text, file: "f", descriptorLimit: 4096)
                } catch {
                    refusals += 1
                    #expect(!error.problems.isEmpty)
                    for problem in error.problems {
                        let position = try #require(problem.position)
                        #expect((1...lineCount).contains(position.line))
                        #expect(position.column >= 1)
                    }
                }
            }
        }
        #expect(refusals > original.count)
    }
}
