import TestSupport
import Testing

@Suite("Rules of Scripts/tidy")
struct TidyTests {
    @Test("sizes, dependencies between targets and the places of unsafe code follow the rules")
    func holds() throws {
        let result = try Program.run("\(Repository.path)/Scripts/tidy")
        #expect(result.standardOutput == "tidy\n")
        #expect(result.standardError == "")
        #expect(result.exit == .code(0))
    }

    /// Files that violate one rule.
    struct Breach: CustomTestStringConvertible, Sendable {
        let rule: String
        /// The files' paths and texts; the first file violates the rule.
        let files: [(path: String, text: String)]
        var line = 1
        let message: String

        var testDescription: String { rule }
    }

    private static let breaches = [
        Breach(
            rule: "a target imports only the targets listed for it",
            files: [("Sources/VerypollServer/Workers/A.swift", "internal import Varlink\n")],
            message: "VerypollServer may not import Varlink"
        ),
        Breach(
            rule: "a folder uses only types from the folders below it",
            files: [
                ("Sources/VerypollServer/Runtime/A.swift", "let worker: Worker\n"),
                ("Sources/VerypollServer/Workers/B.swift", "struct Worker {}\n"),
            ],
            message: "Runtime may not use Worker from Workers"
        ),
        Breach(
            rule: "every folder of a layered target is a known layer",
            files: [("Sources/VerypollDaemon/Misc/A.swift", "struct A {}\n")],
            message: "Misc is not a listed folder of VerypollDaemon"
        ),
        Breach(
            rule: "conditions on traits are only in the library",
            files: [("Sources/VerypollDaemon/Control/A.swift", "#if Net && OSExt\n#endif\n")],
            message: "conditions on traits are not allowed here"
        ),
        Breach(
            rule: "unsafe code is only in listed files",
            files: [("Sources/VerypollDaemon/Control/A.swift", "let a = unsafe getenv(\"A\")\n")],
            message: "`unsafe` is not allowed here"
        ),
        Breach(
            rule: "C modules are only imported in listed files",
            files: [("Sources/VerypollDaemon/Control/A.swift", "internal import Glibc\n")],
            message: "Glibc may not be imported here"
        ),
        Breach(
            rule: "Foundation is not imported anywhere",
            files: [("Sources/verypollctl/A.swift", "internal import Foundation\n")],
            message: "verypollctl may not import Foundation"
        ),
        Breach(
            rule: "all output is written by Console",
            files: [("Sources/VerypollDaemon/Control/A.swift", "print(1)\n")],
            message: "write text with Console, which escapes it"
        ),
        Breach(
            rule: "banned constructs are found",
            files: [("Sources/Varlink/A.swift", "let a = try\u{21} make()\n")],
            message: "try\u{21}"
        ),
        Breach(
            rule: "Python programs are separate files",
            files: [("Tests/VarlinkTests/A.swift", "let a = \"\"\"\n    import sys\n")],
            line: 2,
            message: "move Python programs to Tests/Programs"
        ),
        Breach(
            rule: "files are short",
            files: [("Sources/Varlink/A.swift", String(repeating: "\n", count: 301))],
            line: 300,
            message: "301 lines; the limit is 300"
        ),
        Breach(
            rule: "functions are short",
            files: [
                (
                    "Sources/Varlink/A.swift",
                    "func f() {\n" + String(repeating: "    g()\n", count: 60) + "}\n"
                )
            ],
            message: "the function has 62 lines; the limit is 60"
        ),
        Breach(
            rule: "lines are short",
            files: [("Scripts/a", String(repeating: "a", count: 101) + "\n")],
            message: "101 columns; the limit is 100"
        ),
    ]

    @Test("a violation of each rule is found", arguments: breaches)
    func finds(_ breach: Breach) throws {
        let folder = try TemporaryDirectory()
        let root = folder.appending("house")
        let copying = """
            git init -q "$0" && mkdir -p "$0/Scripts" && cp "$1" "$0/Scripts/tidy"
            """
        let copy = try Program.run(
            "/bin/sh",
            ["-c", copying, root, "\(Repository.path)/Scripts/tidy"]
        )
        try #require(copy.exit == .code(0))
        for file in breach.files {
            let path = "\(root)/\(file.path)"
            let writing = #"mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0""#
            let written = try Program.run("/bin/sh", ["-c", writing, path, file.text])
            try #require(written.exit == .code(0))
        }
        let result = try Program.run("\(root)/Scripts/tidy")
        let place = breach.files.first.map { "\($0.path):\(breach.line): " } ?? ""
        #expect(result.standardOutput == "\(place)\(breach.message)\n")
        #expect(result.exit == .code(1))
    }
}
