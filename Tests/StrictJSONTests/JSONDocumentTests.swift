import Testing

@testable import StrictJSON

@Suite("JSONDocument")
struct JSONDocumentTests {
    private func parse(_ text: String) throws(JSONSyntaxError) -> JSONDocument {
        try JSONDocument(parsing: Array(text.utf8))
    }

    private func mistake(in bytes: [UInt8]) -> String {
        do {
            _ = try JSONDocument(parsing: bytes)
            return "none"
        } catch {
            return "\(error.position): \(error.message)"
        }
    }

    @Test("a value's position is that of its first character, counted in lines and Unicode scalars")
    func positions() throws {
        let document = try parse("{\n  \"é🎈\": [true,\r\n\t-1.5e+3, \"x\"],\n\"b\": {}}")
        let places = [
            (JSONPointer.root, "1:1"),
            (JSONPointer(["é🎈"]), "2:9"),
            (JSONPointer(["é🎈", "0"]), "2:10"),
            (JSONPointer(["é🎈", "1"]), "3:2"),
            (JSONPointer(["é🎈", "2"]), "3:11"),
            (JSONPointer(["b"]), "4:6"),
            (JSONPointer(["b", "missing"]), "4:6"),
        ]
        for (pointer, place) in places {
            #expect(document.root.nearestValue(at: pointer).position?.description == place)
        }
        guard case .object(let root) = document.root.content else {
            Issue.record("not an object")
            return
        }
        #expect(root.members.map(\.key) == ["é🎈", "b"])
        #expect(root.members.map { $0.position?.description } == ["2:3", "4:1"])
    }

    @Test(
        "escapes decode to their characters",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\uD83C\uDF88""#, "Aé🎈"),
            (#""\u0000""#, "\0"),
        ]
    )
    func escapes(text: String, value: String) throws {
        guard case .string(let string) = try parse(text).root.content else {
            Issue.record("not a string")
            return
        }
        #expect(string == value)
    }

    @Test(
        "numbers follow RFC 8259",
        arguments: ["0", "-0", "10", "1.5", "-0.25e-7", "1E+9"]
    )
    func numbers(text: String) throws {
        guard case .number(text) = try parse(text).root.content else {
            Issue.record("not a number")
            return
        }
    }

    @Test(
        "each syntax error names its position and a remedy",
        arguments: [
            ("", "1:1: the file is empty; add at least an object, {}"),
            ("{\n", "2:1: the file ends inside the object that begins at 1:1; add the }"),
            ("[1", "1:3: the file ends inside the list that begins at 1:1; add the ]"),
            ("[1,", "1:4: the file ends inside the list that begins at 1:1; add the ]"),
            ("{\"a\":", "1:6: expected a value, found the end of the file"),
            ("[1 2]", "1:4: expected a comma or ] after the value, found 2"),
            ("[1,]", "1:3: trailing comma before the closing ]; remove the comma"),
            ("{\"a\": 1,\n}", "1:8: trailing comma before the closing }; remove the comma"),
            ("{a: 1}", "1:2: expected a key in double quotes, found a"),
            ("{\"a\" 1}", "1:6: expected a colon after the key \"a\", found 1"),
            ("{\"a\": }", "1:7: expected a value, found }"),
            ("{} {}", "1:4: found { after the end of the document; remove it"),
            ("['a']", "1:2: found a single quote; put strings in double quotes"),
            ("// hi\n{}", "1:1: JSON does not allow comments; remove this one"),
            ("{ # hi\n}", "1:3: JSON does not allow comments; remove this one"),
            ("[1, /* hi */ 2]", "1:5: JSON does not allow comments; remove this one"),
            ("[+1]", "1:2: found + before a number; begin with a digit or a minus sign"),
            ("[01]", "1:2: 01 is not a valid JSON number; write digits without leading zeros"),
            ("[-]", "1:2: - is not a valid JSON number; write digits without leading zeros"),
            ("[1.]", "1:2: 1. is not a valid JSON number; write digits without leading zeros"),
            (
                "[30s]",
                "1:2: 30s is not a valid JSON number; if it is a string, put it in double quotes"
            ),
            (
                "[\"a\nb\"]",
                "1:2: the string does not end on its line; add the closing double quote"
            ),
            ("[\"a", "1:2: the string does not end; add the closing double quote"),
            ("[\"a\tb\"]", "1:4: found a control character in a string; write \\u0009 instead"),
            ("[\"\\x\"]", "1:3: not a valid JSON escape; write \\\\ for a backslash"),
            ("[\u{A0}1]", "1:2: expected a value, found the character U+00A0"),
        ]
    )
    func mistakes(text: String, expected: String) {
        #expect(mistake(in: Array(text.utf8)) == expected)
    }

    @Test("an unknown bare word is named", arguments: ["True", "None", "yes", "NaN"])
    func words(word: String) {
        #expect(
            mistake(in: Array("[\(word)]".utf8))
                == "1:2: \"\(word)\" is not a valid JSON value; write true, false, null, or a"
                + " string in double quotes"
        )
    }

    @Test(
        "half a surrogate pair is not a character",
        arguments: [
            #""\uD83C""#, #""\uDF88""#, #""\uD83Cx""#, #""\uD83C\n""#, #""\u12G4""#, #""\u1"#,
        ]
    )
    func surrogates(text: String) {
        #expect(mistake(in: Array(text.utf8)).hasPrefix("1:2: not a valid Unicode escape"))
    }

    @Test("bytes that are not UTF-8 are rejected with their position")
    func encoding() {
        let latin = Array("[\n\"é".utf8) + [0xE9, 0x22, 0x5D]
        #expect(
            mistake(in: latin)
                == "2:3: the byte 0xE9 is not UTF-8; save the file as UTF-8"
        )
    }

    @Test("a byte order mark is rejected")
    func byteOrderMark() {
        #expect(
            mistake(in: [0xEF, 0xBB, 0xBF] + Array("{}".utf8))
                == "1:1: the file begins with a byte order mark; save it as UTF-8 without one"
        )
    }

    @Test("containers may be nested up to the maximum depth")
    func depth() throws {
        let most = JSONLimits().depth
        let text = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try parse(text(most))
        #expect(mistake(in: Array(text(most + 1).utf8)).hasPrefix("1:65: more than 64 nested"))
        #expect(mistake(in: Array(text(200_000).utf8)).hasPrefix("1:65: more than 64 nested"))
    }

    @Test("a duplicate key is reported and counted once")
    func duplicates() throws {
        let document = try parse("{\"a\": {\"b\": 1,\n\"b\": 2}, \"a\": 3}")
        let found = document.duplicates.map { "\($0.pointer) \($0.position) \($0.first)" }
        #expect(found == ["/a/b 2:1 1:8", "/a 2:10 1:2"])
        #expect(document.root.nearestValue(at: JSONPointer(["a", "b"])) == 1)
    }

    @Test("a text over the size limit is rejected, whatever it contains")
    func size() throws {
        let limits = JSONLimits(byteCount: 4)
        _ = try JSONDocument(parsing: Array("[12]".utf8), limits: limits)
        let message = "the text has more than 4 bytes; make it smaller"
        let error = JSONSyntaxError(position: SourcePosition(line: 1, column: 1), message: message)
        #expect(throws: error) {
            try JSONDocument(parsing: Array("[123]".utf8), limits: limits)
        }
        #expect(throws: error) { try JSONDocument.check(Array("     ".utf8), limits: limits) }
    }

    @Test(
        "checking finds the same errors as parsing",
        arguments: [
            "", "{\n", "[1,]", "{\n\"a\": 1,\n}", "[01]", "[1.]", "[30s]", "[\"a", "[\"é\tb\"]",
            "[\"\\x\"]", "[\"\\u12g4\"]", "[tru]", "{} {}", "[\n\"é\", /* hi */ 2]",
        ]
    )
    func checks(text: String) throws {
        let bytes = Array(text.utf8)
        let found = try #require(throws: JSONSyntaxError.self) { try JSONDocument(parsing: bytes) }
        #expect(throws: found) { try JSONDocument.check(bytes, limits: JSONLimits()) }
    }

    @Test(
        "checking accepts half a surrogate pair and a duplicate key, which the grammar allows",
        arguments: [#"["\ud800"]"#, #"["\udc00\ud800"]"#, #"{"a": 1, "a": [{}]}"#]
    )
    func checksGrammar(text: String) throws {
        try JSONDocument.check(Array(text.utf8), limits: JSONLimits())
    }

    @Test("checking accepts nesting up to its limit")
    func checksDepth() throws {
        let text = { (depth: Int) in
            Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8
            )
        }
        let limits = JSONLimits(depth: 512)
        try JSONDocument.check(text(512), limits: limits)
        #expect(throws: JSONSyntaxError.self) { try JSONDocument.check(text(513), limits: limits) }
    }
}
