import FoundationEssentials
import StrictJSON
import Testing

@Suite("JSONValue")
struct JSONValueTests {
    private static let made: JSONValue = .object([
        "b": .array([.null, true, false, -7, "x"]), "a": .object([:]), "c": .array([]),
    ])

    private func parse(_ text: String) throws -> JSONValue {
        try JSONDocument(parsing: Array(text.utf8)).root
    }

    @Test("a value made in code equals a parsed one, whatever its positions and key order")
    func equals() throws {
        let read = try parse("{\"c\": [], \"a\": {},\n \"b\": [null, true, false, -7, \"x\"]}")
        #expect(read == Self.made)
        #expect(read.hashValue == Self.made.hashValue)
        #expect(Self.made.position == nil)
    }

    @Test(
        "values that differ are not equal",
        arguments: [
            ("[1]", "[1, 1]"), ("{\"a\": 1}", "{\"b\": 1}"), ("{\"a\": 1}", "{\"a\": 2}"),
            ("{\"a\": null}", "{}"), ("1", "\"1\""), ("1", "1.0"), ("false", "null"), ("[]", "{}"),
        ]
    )
    func differs(left: String, right: String) throws {
        #expect(try parse(left) != parse(right))
    }

    @Test("accessors return a value of their kind only")
    func kinds() throws {
        let value = try parse(#"{"t": "x", "n": 5, "f": 1.5, "y": true, "l": [1, "e"], "z": null}"#)
        #expect(value["t"]?.string == "x")
        #expect(value["n"]?.integer == 5)
        #expect(value["f"]?.integer == nil)
        #expect(value["y"]?.boolean == true)
        #expect(value["l"]?.array?.count == 2)
        #expect(value["l"]?["1"]?.string == "e")
        #expect(value["l"]?["2"] == nil)
        #expect(value["z"]?.string == nil)
        #expect(value["none"] == nil)
        #expect(value.object?.members.count == 6)
    }

    @Test("a value is written on one line, with keys in the order they were added")
    func writes() {
        #expect(Self.made.text == #"{"a":{},"b":[null,true,false,-7,"x"],"c":[]}"#)
    }

    @Test(
        "a parsed value is written unchanged except for whitespace",
        arguments: [
            #"{"b":1,"a":[1.50,-0,1E+9,[]],"":{"é🎈":"/"}}"#, #""\"\\\b\f\n\r\t\u0000\u001f""#,
            "\"\u{7F}\u{2028}\"",
        ]
    )
    func writesBack(text: String) throws {
        #expect(try parse(text).text == text)
    }

    @Test("Foundation's encoder writes the same text as the value's own writer, and decodes it")
    func codes() throws {
        let value: JSONValue = .object([
            "z": Self.made, "a10": 1, "a9": 2, "B": JSONValue(.number("1.5")), "é": "\u{1}\n/é🎈",
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        #expect(String(decoding: data, as: UTF8.self) == value.text)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
    }
}
