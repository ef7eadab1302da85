internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Substitution of variables")
struct SubstitutionTests {
    /// Parses a text with variables.
    private func parse(
        _ text: String,
        _ values: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        try Configuration(
            parsing: Array(text.utf8),
            file: "test.json",
            descriptorLimit: 4096,
            surroundings: Surroundings(variables: Variables(values: values))
        )
    }

    private func problems(in text: String, _ values: [String: String] = [:]) -> [String] {
        do {
            _ = try parse(text, values)
            return []
        } catch {
            return error.problems.map { String($0.description.dropFirst("test.json:".count)) }
        }
    }

    private func check(_ keys: String) -> String {
        upstream("\"servers\": [\"a:1\"], \"check\": {\(keys)}")
    }

    @Test(
        "a name in braces is replaced; an even number of dollars stands for half of them",
        arguments: [
            ("", ""), ("$", "$"), ("$$", "$$"), ("a$b{c}", "a$b{c}"), ("${A}", "1"),
            ("x${A}y${b-c.d}z", "x1y${A}\"z"), ("$${A}", "${A}"), ("$$${A}", "$1"),
            ("$$$${A}", "$${A}"), ("${A}${A}", "11"), ("$x${A}$", "$x1$"), ("${_EMPTY}", ""),
        ]
    )
    func replaces(text: String, expected: String) throws {
        // A value is neither parsed as JSON nor searched for names.
        let values = ["A": "1", "b-c.d": "${A}\"", "_EMPTY": ""]
        let configuration = try parse(check("\"send\": \"\(text)\""), values)
        #expect(configuration.upstreams[0].check?.send.text == expected)
    }

    @Test("addresses, words and spans can be replaced, but keys and numbers cannot")
    func places() throws {
        let configuration = try parse(
            """
            {"log": {"level": "${LEVEL}"}, "listeners": {"web": {"listen": ["${IP}:80"],
            "handler": {"type": "${TYPE}"}, "timeouts": {"idle": "${N}s"}}}}
            """,
            ["LEVEL": "debug", "IP": "127.0.0.1", "TYPE": "echo", "N": "5"]
        )
        #expect(configuration.listeners[0].addresses.map(\.description) == ["127.0.0.1:80"])
        #expect(configuration.listeners[0].timeouts.idle == .seconds(5))
        #expect(configuration.effective["log"]?["level"]?.string == "debug")
        #expect(
            problems(in: listener("\"maxSessions\": \"${N}\", \"${N}\": 1"), ["N": "5"]).map {
                $0.prefix(while: { $0 != "(" })
            } == [
                "2:18: /listeners/web/maxSessions: must be a whole number from 1 to 10000000, not"
                    + " the string \"5\"",
                "2:26: /listeners/web/${N}: unknown key ",
            ]
        )
    }

    @Test(
        "an unknown or invalid name is a problem at its string, with a remedy",
        arguments: [
            (
                "x${NAME}",
                "no credential and no variable of the environment is named \"NAME\"; set it in the"
                    + " environment of verypolld, with Environment= or LoadCredential= of the"
                    + " service, or write \"$${\" for the characters \"${\""
            ),
            (
                "a${b",
                "\"a${b\" has no \"}\" after \"${\"; write \"${NAME}\" for a variable, or \"$${\" for"
                    + " the characters \"${\""
            ),
            (
                "${A:-b}",
                "\"A:-b\" is not a valid name of a variable; write letters, digits, \"_\", \".\" and"
                    + " \"-\" after a letter or \"_\", as in \"${NAME}\", or \"$${\" for the"
                    + " characters \"${\""
            ),
        ]
    )
    func refuses(text: String, expected: String) {
        #expect(
            problems(in: check("\"send\": \"\(text)\""))
                == ["2:61: /upstreams/app/check/send: \(expected)"]
        )
    }

    @Test("names cannot be paths", arguments: ["", "..", ".", "a/b", "1a", "-", "é"])
    func refusesNames(name: String) {
        let found = problems(in: check("\"send\": \"${\(name)}\""))
        #expect(found.count == 1)
        #expect(found.first?.contains("is not a valid name of a variable") == true)
    }

    @Test("the effective configuration parses back if a string has the characters of a name")
    func parsesBack() throws {
        let text = "\"send\": \"$${A} $${\", \"expect\": \"$$${A}\""
        let original = try parse(check(text), ["A": "1"])
        #expect(original.upstreams[0].check?.send.text == "${A} ${")
        #expect(original.effective["upstreams"]?["app"]?["check"]?["send"] == "$${A} $${")
        let again = try configuration(JSONValue.object(original.effective).text)
        #expect(again.upstreams == original.upstreams)
    }

    @Test("a credential comes before the environment, and loses one line end")
    func credentials() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("secret\n", to: "PW")
        _ = try folder.write("a\n\r\n", to: "lines")
        let values = ["PW": "public", "OTHER": "o", "CREDENTIALS_DIRECTORY": folder.path]
        let configuration = try parse(
            check("\"send\": \"AUTH ${PW} ${OTHER}\", \"expect\": \"${lines}\""),
            values
        )
        #expect(configuration.upstreams[0].check?.send.text == "AUTH secret o")
        #expect(configuration.upstreams[0].check?.expect.text == "a\n")
    }

    @Test("a credential that cannot be read is a problem")
    func unreadableCredentials() throws {
        let folder = try TemporaryDirectory()
        let values = ["CREDENTIALS_DIRECTORY": folder.path]
        let isMade = unsafe mkfifo(folder.appending("pipe"), 0o600) == 0
        #expect(isMade)
        _ = try folder.write(String(repeating: "x", count: 64 << 10 + 1), to: "large")
        for (name, expected) in [
            ("pipe", "the credential \"pipe\" is a FIFO; expected a regular file"),
            ("large", "the value of \"large\" is larger than 64 KiB; make it smaller"),
        ] {
            let found = problems(in: check("\"send\": \"${\(name)}\""), values)
            #expect(found.first?.contains(expected) == true)
        }
    }

    @Test("credentials are shown by their names; a changed credential is a change")
    func conceals() throws {
        let folder = try TemporaryDirectory()
        let values = ["E": "5", "CREDENTIALS_DIRECTORY": folder.path]
        let text = """
            {"listeners": {"web": {"listen": ["127.0.0.1:80"], "handler": {"type": "echo"},
            "deny": "${HOST}"}},
            "upstreams": {"app": {"servers": ["${HOST}:1", {"address": "${HOST}:2"}],
            "connectTimeout": "${E}s", "check": {"send": "AUTH ${PW}"}}}}
            """
        func load(_ password: String) throws -> Configuration {
            _ = try folder.write(password, to: "PW")
            _ = try folder.write("10.9.8.7", to: "HOST")
            return try parse(text, values)
        }
        let before = try load("first")
        let app = before.effective["upstreams"]?["app"]
        #expect(app?["servers"]?["0"]?["address"] == "${HOST}:1")
        #expect(app?["servers"]?["1"]?["address"] == "${HOST}:2")
        #expect(app?["check"]?["send"] == "AUTH ${PW}")
        #expect(before.effective["listeners"]?["web"]?["deny"]?["0"] == "${HOST}")
        // A server may repeat the credential in its answer.
        #expect(before.upstreams[0].check?.hidesAnswers == true)
        #expect(app?["connectTimeout"] == "5s")
        #expect(before.changes(to: try load("first")) == [])
        let changes = before.changes(to: try load("second"))
        #expect(changes.map(\.pointer) == ["/upstreams/app/check/send"])
        #expect(changes.map(\.before) == ["\"AUTH ${PW}\""])
        #expect(changes.map(\.after) == ["\"AUTH ${PW}\""])
    }

    @Test(
        "problems do not show the values of credentials",
        arguments: ["secret", String(repeating: "s3", count: 100)]
    )
    func concealsInProblems(secret: String) throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write(secret, to: "PW")
        let found = problems(
            in: """
                {"listeners": {"web": {"listen": ["${PW}:80", "x${PW}", "127.0.0.1:${PW}"],
                "handler": {"type": "${PW}"}, "timeouts": {"idle": "${PW}"}}}}
                """,
            ["CREDENTIALS_DIRECTORY": folder.path]
        )
        #expect(found.count == 5)
        for problem in found {
            #expect(!problem.contains(secret.prefix(6)), "\(problem)")
            #expect(problem.contains("${PW}"), "\(problem)")
        }
    }

    @Test("all values together have at most 1 MiB")
    func limitsSize() {
        let value = String(repeating: "1", count: 60_000)
        let strings = Array(repeating: "\"${V}\"", count: 20).joined(separator: ",")
        let found = problems(
            in: "{\"$schema\": [\(strings)], " + listener().dropFirst(),
            ["V": value]
        )
        #expect(found.count == 3)
        #expect(found.first?.contains("larger than 1 MiB") == true)
    }

    @Test("the names of files to include can contain variables")
    func includes() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write(listener(), to: "a.json")
        let configuration = try parse(
            "{\"include\": \"${DIR}/a.json\"}",
            ["DIR": folder.path]
        )
        #expect(configuration.listeners.map(\.name) == ["web"])
    }

    @Test("a text that a client sends cannot name variables")
    func refusesText() {
        #expect(
            complaints(about: check("\"send\": \"${HOME}\"")) == [
                "/upstreams/app/check/send: \"${HOME}\" has no value in a text that a client sends;"
                    + " check the file with verypollctl config check FILE"
            ]
        )
    }
}
