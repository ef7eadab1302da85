internal import Glibc
internal import TestSupport
internal import Testing

@Suite("configurations in the documents")
struct DocumentedConfigurationTests {
    @Test("--check-config accepts each of them")
    func areValid() throws {
        let directory = try TemporaryDirectory()
        // The files and variables that the documents name.
        let isMade = unsafe mkdir(directory.appending("conf.d"), 0o700) == 0
        #expect(isMade)
        let included =
            #"{"listeners": {"other": {"listen": ["127.0.0.1:9"], "handler": {"type": "drop"}}}}"#
        _ = try directory.write(included, to: "conf.d/other.json")
        _ = try directory.write("192.0.2.0/24\n", to: "blocklist.txt")
        _ = try directory.write("secret", to: "redis-password")
        let variables = [
            "WEB_ADDRESS": "127.0.0.1", "CREDENTIALS_DIRECTORY": directory.path,
        ]
        var count = 0
        for name in try Repository.documents() {
            for block in try Document(name).blocks where block.language == "json" {
                let file = try directory.write(block.text, to: "documented.json")
                let result = try Program.run(
                    "verypolld",
                    ["--check-config", file],
                    environment: variables
                )
                #expect(result.exit == .code(0), "\(name): \(result.standardError)")
                count += 1
            }
        }
        #expect(count > 10)
    }
}
