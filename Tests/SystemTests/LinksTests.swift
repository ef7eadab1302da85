import TestSupport
import Testing

@Suite("Scripts/links")
struct LinksTests {
    @Test("every link in the documents is valid")
    func holds() throws {
        let result = try Program.run("\(Repository.path)/Scripts/links")
        #expect(result.standardOutput == "all links are valid\n")
        #expect(result.exit == .code(0))
    }

    @Test("a link to a missing file or heading is reported, and code is ignored")
    func finds() throws {
        let directory = try TemporaryDirectory()
        let root = directory.appending("house")
        let script = #"""
            mkdir -p "$0/Scripts" "$0/docs" && cp "$1" "$0/Scripts/links" &&
            printf '# One & two\n## One & two\n[a](docs/a.md#b-1)\n[b](c.md)\n' >"$0/README.md" &&
            printf '[a](#one)\n`[b](d.md)`\n[c](../README.md#one--two-1)\n' >"$0/docs/a.md"
            """#
        let made = try Program.run(
            "/bin/sh",
            ["-c", script, root, "\(Repository.path)/Scripts/links"]
        )
        try #require(made.exit == .code(0), "\(made.standardError)")
        let result = try Program.run("\(root)/Scripts/links")
        #expect(
            result.standardOutput == """
                README.md:3: docs/a.md#b-1 does not name a heading
                README.md:4: c.md does not name a file of this repository
                docs/a.md:1: #one does not name a heading

                """
        )
        #expect(result.exit == .code(1))
    }
}
