internal import SystemPackage
internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Files of addresses")
struct AddressFileTests {
    private func load(
        _ keys: String,
        in folder: borrowing TemporaryDirectory
    ) throws -> Configuration {
        let main = try folder.write(listener(keys), to: "main.json")
        return try Configuration.load(file: main, descriptorLimit: 4096)
    }

    private func problems(
        _ keys: String,
        in folder: borrowing TemporaryDirectory
    ) throws -> [String] {
        do {
            _ = try load(keys, in: folder)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map { $0.description.replacing("\(folder.path)/", with: "") }
        }
    }

    @Test("a file is a whole value or an element, beside blocks")
    func reads() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("10.0.0.0/9\n10.128.0.0/9 # two\n", to: "list.txt")
        let whole = try load("\"deny\": {\"file\": \"list.txt\"}", in: folder).listeners[0]
        #expect(whole.deny.addresses == AddressSet([try AddressPrefix("10.0.0.0/8")]))
        #expect(whole.allow == nil)
        let mixed = try load(
            "\"allow\": [\"::1\", {\"file\": \"./list.txt\"}], \"deny\": \"10.0.0.7\"",
            in: folder
        ).listeners[0]
        let both = try AddressSet([AddressPrefix("10.0.0.0/8"), AddressPrefix("::1")])
        #expect(mixed.allow?.addresses == both)
        #expect(mixed.deny == AddressList([try AddressPrefix("10.0.0.7")]))
    }

    @Test("a file's name is relative to the file that names it")
    func isRelative() throws {
        let folder = try TemporaryDirectory()
        let other = try TemporaryDirectory()
        _ = try other.write("::7\n", to: "list.txt")
        let included = try other.write(listener("\"deny\": {\"file\": \"list.txt\"}"), to: "a.json")
        let main = try folder.write("{\"include\": \"\(included)\"}", to: "main.json")
        let configuration = try Configuration.load(file: main, descriptorLimit: 4096)
        #expect(configuration.listeners[0].deny.addresses.v6 == [7, 8])
    }

    @Test("the effective configuration shows the number of blocks, and parses back")
    func isEffective() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("10.0.0.0/9\n10.128.0.0/9\n", to: "list.txt")
        let before = try load("\"deny\": [{\"file\": \"list.txt\"}]", in: folder)
        let deny = before.effective["listeners"]?["web"]?["deny"]?["0"]
        #expect(deny?["file"]?.string == folder.appending("list.txt"))
        #expect(deny?["entries"]?.integer == 2)
        #expect(deny?["hash"]?.string?.count == 16)
        let main = try folder.write(JSONValue.object(before.effective).text, to: "again.json")
        let again = try Configuration.load(file: main, descriptorLimit: 4096)
        #expect((again == before) == true)
        // As a text that a client sends, it has the same meaning, but the file is not read.
        let sent = try configuration(JSONValue.object(before.effective).text, descriptorLimit: 4096)
        #expect(before.changes(to: sent) == [])
        #expect(sent.listeners[0].deny.addresses.isEmpty)
    }

    @Test("changed addresses are one short change; changed comments are none")
    func changes() throws {
        let folder = try TemporaryDirectory()
        let blocks = (0..<5000).map { "10.0.\($0 / 250).\($0 % 250)\n" }
        func load(_ text: String) throws -> Configuration {
            _ = try folder.write(text, to: "list.txt")
            return try self.load("\"deny\": {\"file\": \"list.txt\"}", in: folder)
        }
        let before = try load(blocks.joined())
        #expect(before.changes(to: try load(blocks.reversed().joined() + "# new\n")) == [])
        let changes = before.changes(to: try load(blocks.joined() + "::1\n"))
        #expect(changes.map(\.pointer) == ["/listeners/web/deny"])
        #expect(changes[0].before?.contains("\"entries\":5000,") == true)
        #expect(changes[0].after?.contains("\"entries\":5001,") == true)
        #expect((changes[0].after?.utf8.count ?? 0) < 300)
        #expect((before.listeners[0] == (try load("::1")).listeners[0]) == false)
    }

    @Test("problems name the list's file and line, or the place that names the file")
    func refuses() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write("10.0.0.1\nlocalhost\n", to: "bad.txt")
        #expect(
            try problems(
                """
                "deny": [{"file": "bad.txt"}, {"file": "bad.txt"}, {"file": "none"}, {"file": ""},
                {}, 5, {"file": "/"}, {"fil": "x"}]
                """,
                in: folder
            ) == [
                "main.json:2:63: /listeners/web/deny/2/file: \"none\" can't be read: No such file or"
                    + " directory (errno 2); write the file, or name another one",
                "main.json:2:81: /listeners/web/deny/3/file: the name is empty; write the name of a"
                    + " file",
                "main.json:3:1: /listeners/web/deny/4: the key \"file\" is missing; add it",
                "main.json:3:5: /listeners/web/deny/5: must be a string, or an object with the key"
                    + " \"file\", not the number 5",
                "main.json:3:17: /listeners/web/deny/6/file: \"/\" can't be read: Is a directory"
                    + " (errno 21); name a file in this directory",
                "main.json:3:23: /listeners/web/deny/7: the key \"file\" is missing; add it",
                "main.json:3:24: /listeners/web/deny/7/fil: unknown key (did you mean \"file\"?)",
                "bad.txt:2:1: /listeners/web/deny/0/file: \"localhost\" is not a valid address"
                    + " block; write one such as \"10.0.0.0/8\" or \"2001:db8::1\"",
            ]
        )
    }

    @Test("a file is not read for a text that a client sends")
    func refusesText() {
        #expect(
            complaints(about: listener("\"allow\": {\"file\": \"/etc/passwd\"}")) == [
                "/listeners/web/allow/file: files can't be read for a text that a client sends;"
                    + " check the file with verypollctl config check FILE"
            ]
        )
        #expect(
            complaints(about: listener("\"allow\": []"))
                == ["/listeners/web/allow: the list is empty; add at least one element"]
        )
    }
}
