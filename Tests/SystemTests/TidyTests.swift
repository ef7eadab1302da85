import TestSupport
import Testing

@Suite("the rules of Scripts/tidy")
struct TidyTests {
    @Test("sizes, arrows between targets and the places of unsafe code are as agreed")
    func holds() throws {
        let result = try Program.run("\(Repository.path)/Scripts/tidy")
        #expect(result.standardOutput == "tidy\n")
        #expect(result.standardError == "")
        #expect(result.exit == .code(0))
    }

    /// Files that break one rule each.
    struct Breach: CustomTestStringConvertible, Sendable {
        let rule: String
        /// The paths of files and their texts; the first one breaks the rule.
        let files: [(path: String, text: String)]
        var line = 1
        let message: String

        var testDescription: String { rule }
    }

    private static let breaches = [
        Breach(
            rule: "a target knows those above it in the manifest only",
            files: [("Sources/VerypollServer/Workers/A.swift", "internal import Varlink\n")],
            message: "VerypollServer may not know Varlink"
        ),
        Breach(
            rule: "a folder knows those below it only",
            files: [
                ("Sources/VerypollServer/Runtime/A.swift", "let worker: Worker\n"),
                ("Sources/VerypollServer/Workers/B.swift", "struct Worker {}\n"),
            ],
            message: "Runtime may not know Worker of Workers"
        ),
        Breach(
            rule: "the folders of a layered target are layers",
            files: [("Sources/VerypollDaemon/Misc/A.swift", "struct A {}\n")],
            message: "Misc is no layer of VerypollDaemon"
        ),
        Breach(
            rule: "conditions on traits stand in the library",
            files: [("Sources/VerypollDaemon/Control/A.swift", "#if Net && OSExt\n#endif\n")],
            message: "a condition on traits has no place here"
        ),
        Breach(
            rule: "unsafe code has its places",
            files: [("Sources/VerypollDaemon/Control/A.swift", "let a = unsafe getenv(\"A\")\n")],
            message: "`unsafe` has no place here"
        ),
        Breach(
            rule: "C has its places",
            files: [("Sources/VerypollDaemon/Control/A.swift", "internal import Glibc\n")],
            message: "Glibc has no place here"
        ),
        Breach(
            rule: "Foundation has no place at all",
            files: [("Sources/verypollctl/A.swift", "internal import Foundation\n")],
            message: "verypollctl may not use Foundation"
        ),
        Breach(
            rule: "the console escapes what is shown",
            files: [("Sources/VerypollDaemon/Control/A.swift", "print(1)\n")],
            message: "text is shown by Console, which escapes it"
        ),
        Breach(
            rule: "some words are banned",
            files: [("Sources/Varlink/A.swift", "let a = try\u{21} make()\n")],
            message: "try\u{21}"
        ),
        Breach(
            rule: "programs in Python are files",
            files: [("Tests/VarlinkTests/A.swift", "let a = \"\"\"\n    import sys\n")],
            line: 2,
            message: "a Python program belongs in Tests/Programs"
        ),
        Breach(
            rule: "files are short",
            files: [("Sources/Varlink/A.swift", String(repeating: "\n", count: 301))],
            line: 300,
            message: "301 lines, at most 300"
        ),
        Breach(
            rule: "functions are short",
            files: [
                (
                    "Sources/Varlink/A.swift",
                    "func f() {\n" + String(repeating: "    g()\n", count: 60) + "}\n"
                )
            ],
            message: "a function of 62 lines, at most 60"
        ),
        Breach(
            rule: "lines are short",
            files: [("Scripts/a", String(repeating: "a", count: 101) + "\n")],
            message: "101 columns, at most 100"
        ),
    ]

    @Test("a breach of each rule is found", arguments: breaches)
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
