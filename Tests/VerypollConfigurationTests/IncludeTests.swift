internal import Glibc
internal import SystemPackage
internal import TestSupport
internal import Testing

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Included files")
struct IncludeTests {
    /// A directory with a main file and the files that it includes.
    private struct Tree: ~Copyable {
        let folder: TemporaryDirectory

        /// Writes the files; a name has at most one directory.
        init(_ files: [String: String]) throws {
            let folder = try TemporaryDirectory()
            for (name, text) in files {
                if let slash = name.firstIndex(of: "/") {
                    _ = unsafe mkdir(folder.appending(String(name[..<slash])), 0o700)
                }
                _ = try folder.write(text, to: name)
            }
            self.folder = folder
        }

        func load() throws(ConfigurationError) -> Configuration {
            try Configuration.load(file: folder.appending("main.json"), descriptorLimit: 4096)
        }

        /// The problems, with names relative to the directory.
        var problems: [String] {
            do {
                _ = try load()
                return []
            } catch {
                return error.problems.map { $0.description.replacing("\(folder.path)/", with: "") }
            }
        }
    }

    private static func echo(_ name: String, _ port: Int) -> String {
        #""\#(name)": {"listen": ["127.0.0.1:\#(port)"], "handler": {"type": "echo"}}"#
    }

    @Test("the listeners and upstreams of all files are merged, in the order of the file names")
    func merges() throws {
        let tree = try Tree([
            "main.json": """
            {"include": ["conf.d/*.json", "lists/x.json"], "workers": 2,
            "listeners": {\(Self.echo("main", 1))}}
            """,
            "conf.d/b.json": "{\"listeners\": {\(Self.echo("b", 3))}, \"$schema\": \"s\"}",
            "conf.d/a.json": """
            {"listeners": {\(Self.echo("a", 2))}, "drain": {"deadline": "7s"}, "$schema": "s",
            "upstreams": {"u": {"servers": ["a:1"]}}}
            """,
            "conf.d/a.txt": "not JSON", "conf.d/.a.json": "hidden",
            "lists/x.json": "{\"upstreams\": {\"v\": {\"servers\": [\"b:1\"]}}}",
        ])
        let configuration = try tree.load()
        #expect(configuration.listeners.map(\.name) == ["main", "a", "b"])
        #expect(configuration.upstreams.map(\.name) == ["u", "v"])
        #expect(configuration.drain.deadline == .seconds(7))
        #expect(configuration.workers == 2)
        #expect(configuration.effective["include"] == nil)
        let files = configuration.files.value.map { $0.replacing("\(tree.folder.path)/", with: "") }
        #expect(files == ["main.json", "conf.d/a.json", "conf.d/b.json", "lists/x.json"])
        let position = configuration.listeners[2].position.value
        #expect(configuration.file(of: position)?.hasSuffix("conf.d/b.json") == true)
        #expect(position == SourcePosition(line: 1, column: 16, file: 2))
    }

    @Test("one name without brackets, an absolute name, and patterns without a match are accepted")
    func formsOfInclude() throws {
        let tree = try Tree([
            "main.json": "{\"include\": \"a.json\"}",
            "a.json": "{\"listeners\": {\(Self.echo("a", 1))}}",
        ])
        #expect(try tree.load().listeners.count == 1)
        let others = try TemporaryDirectory()
        let path = tree.folder.appending("a.json")
        let main = try others.write(
            "{\"include\": [\"\(path)\", \"none/*.json\", \"*.none\", \"*.json\", \"./m.json\"]}",
            to: "m.json"
        )
        // The main file matches its own pattern, and is not included in itself.
        #expect(try Configuration.load(file: main, descriptorLimit: 4096).listeners.count == 1)
    }

    @Test("a file that several patterns match is included once")
    func includesOnce() throws {
        let tree = try Tree([
            "main.json": "{\"include\": [\"a.json\", \"./a.json\", \"[a]*.json\"]}",
            "a.json": "{\"listeners\": {\(Self.echo("a", 1))}}",
        ])
        #expect(tree.problems == [])
    }

    @Test("a key or name in two files is a problem that names both places")
    func duplicates() throws {
        let tree = try Tree([
            "main.json": """
            {"include": "conf.d/*", "workers": 1,
            "listeners": {\(Self.echo("web", 1))}}
            """,
            "conf.d/a": "{\n\"workers\": 1, \"listeners\": {\(Self.echo("web", 2))}}",
            "conf.d/b": "{\"listeners\": {\(Self.echo("b", 3)),\n\(Self.echo("b", 4))}}",
            "conf.d/c": "{\"listeners\": []}",
        ])
        #expect(
            tree.problems == [
                "conf.d/a:2:1: /workers: duplicate key; first defined at main.json:1:25; remove or"
                    + " rename one",
                "conf.d/a:2:29: /listeners/web: duplicate key; first defined at main.json:2:15;"
                    + " remove or rename one",
                "conf.d/b:2:1: /listeners/b: duplicate key; first defined at 1:16; remove or rename"
                    + " one",
                "conf.d/c:1:15: /listeners: must be an object, not a list",
            ]
        )
    }

    @Test("problems in an included file have its name, and overlaps between files are found")
    func places() throws {
        let tree = try Tree([
            "main.json": "{\"include\": \"a.json\", \"listeners\": {\(Self.echo("web", 1))}}",
            "a.json": "{\"wokers\": 1, \"listeners\": {\n\(Self.echo("b", 1))}}",
        ])
        #expect(
            tree.problems.map { $0.split(separator: ";")[0] } == [
                "a.json:1:2: /wokers: unknown key (did you mean \"workers\"?)",
                "a.json:2:18: /listeners/b/listen/0: 127.0.0.1:1 of the listener \"b\" overlaps with"
                    + " 127.0.0.1:1 of the listener \"web\" (/listeners/web/listen/0)",
            ]
        )
    }

    @Test("files that cannot be read or parsed are the only problems")
    func unreadable() throws {
        let tree = try Tree([
            "main.json": """
            {"include": ["none.json", "pipe", "sub", "bad.json", "list.json", "x/*/y", "x/",
            5],
            "listeners": {"web": {"listen": ["127.0.0.1:1"],
              "handler": {"type": "proxy", "upstream": "in bad.json"}}}}
            """,
            "bad.json": "{\"upstreams\":\n{,}}", "list.json": "[]", "sub/x": "",
        ])
        let isMade = unsafe mkfifo(tree.folder.appending("pipe"), 0o600) == 0
        #expect(isMade)
        #expect(
            tree.problems == [
                "main.json:1:14: /include/0: \"none.json\" doesn't exist; write the file, or remove"
                    + " its name",
                "main.json:1:67: /include/5: \"x/*/y\" has a wildcard in the name of a directory;"
                    + " write wildcards only after the last slash",
                "main.json:1:76: /include/6: \"x/\" names no file; write one such as"
                    + " \"conf.d/*.json\"",
                "main.json:2:1: /include/7: must be a string, not the number 5",
                "pipe: is a FIFO; expected a regular file (save the included configuration as a"
                    + " regular file)",
                "sub: can't be read: Is a directory (errno 21); name a file in this directory",
                "bad.json:2:2: expected a key in double quotes, found ,",
                "list.json:1:1: must be an object, not a list",
            ]
        )
    }

    @Test("an included file cannot include others")
    func nested() throws {
        let tree = try Tree([
            "main.json": "{\"include\": \"a.json\", \"listeners\": {\(Self.echo("web", 1))}}",
            "a.json": "{\"include\": \"main.json\"}",
        ])
        #expect(
            tree.problems == [
                "a.json:1:2: /include: an included file can't include others; move this to"
                    + " \"include\" of main.json"
            ]
        )
    }

    @Test("the number and the size of all files are limited")
    func limits() throws {
        let large = String(repeating: " ", count: 1 << 19)
        let tree = try Tree([
            "main.json": "{\"include\": [\"a\", \"b\"], \"listeners\": {\(Self.echo("web", 1))}}",
            "a": "{}\(large)", "b": "{}\(large)",
        ])
        #expect(
            tree.problems == [
                "b: is larger than 1 MiB together with the files before it; make the configuration"
                    + " smaller"
            ]
        )
        let many = try Tree([
            "main.json": "{\"include\": \"f*\", \"listeners\": {\(Self.echo("web", 1))}}"
        ])
        for number in 1...1000 { _ = try many.folder.write("{}", to: "f\(number)") }
        #expect(many.problems == [])
        _ = try many.folder.write("{}", to: "f1001")
        #expect(
            many.problems == [
                "main.json:1:13: /include: \"f*\" matches too many files; include at most 1000"
            ]
        )
    }

    @Test("a text that a client sends cannot include files")
    func refusesText() {
        let text = "{\"include\": \"a\", " + listener().dropFirst()
        #expect(
            problems(in: text) == [
                "1:13: /include: files can't be included in a text that a client sends; check the"
                    + " file with verypollctl config check FILE"
            ]
        )
        #expect(problems(in: "{\"include\": [], " + listener().dropFirst()) == [])
    }
}
