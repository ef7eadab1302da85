import Testing

@testable import Varlink

@Suite("Call")
struct CallTests {
    private func call(_ text: String) throws -> Call {
        try Call(decoding: Array(text.utf8))
    }

    @Test("the method name is split from the interface at the last dot")
    func names() throws {
        let call = try call(#"{"method":"org.example.test.Echo"}"#)

        #expect(call.method == "org.example.test.Echo")
        #expect(call.interface == "org.example.test")
        #expect(call.name == "Echo")
        #expect(call.mode == .single)
    }

    @Test("whitespace and vendor members are ignored")
    func tolerates() throws {
        let call = try call(" {\n\"method\" : \"a.b.C\", \"org.example.trace\": {\"id\": 1} }\t")

        #expect(call.method == "a.b.C")
    }

    @Test(
        "commas and brackets in strings are plain text",
        arguments: [#",]"#, #",}"#, #"\",]"#, #"\\\",}"#]
    )
    func toleratesText(text: String) throws {
        let message = #"{"method":"a.b.C","parameters":{"text":"\#(text)"}}"#

        #expect(try call(message).parameters(as: EchoParameters.self).text.contains(","))
    }

    @Test(
        "each flag sets its mode",
        arguments: [
            (#""oneway":true"#, Call.Mode.oneway),
            (#""more":true"#, .more),
            (#""upgrade":true"#, .upgrade),
            (#""more":false,"oneway":false,"upgrade":false"#, .single),
            (#""more":true,"oneway":false"#, .more),
        ]
    )
    func modes(flags: String, mode: Call.Mode) throws {
        #expect(try call(#"{"method":"a.b.C",\#(flags)}"#).mode == mode)
    }

    @Test(
        "a message that is not a call is rejected",
        arguments: [
            "", "{", "nonsense", "null", "1", "[]", #""text""#, "{}",
            #"{"method":1}"#, #"{"method":null}"#, #"{"parameters":{}}"#,
            #"{"method":"a.b.C","more":1}"#,
            #"{"method":"a.b.C","more":"true"}"#,
            #"{"method":"a.b.C","more":null}"#,
            #"{"method":"a.b.C","oneway":{}}"#,
            #"{"method":"a.b.C","upgrade":[]}"#,
            #"{"method":"a.b.C","more":true,"oneway":true}"#,
            #"{"method":"a.b.C","more":true,"upgrade":true}"#,
            #"{"method":"a.b.C","unknown":true}"#,
            #"{"method":"a.b.C","parameters":[]}"#,
            #"{"method":"a.b.C","parameters":1}"#,
            #"{"method":"a.b.C"}{}"#,
            #"{"method":"a.b.C",,}"#,
            #"{"method":"a.b.C",}"#,
            #"{"method":"a.b.C","parameters":{"x":["\\",1 , ]}}"#,
        ]
    )
    func refuses(text: String) {
        #expect(throws: MalformedMessage()) { try call(text) }
    }

    @Test("bytes that are not UTF-8 are rejected anywhere in the message")
    func refusesBytes() {
        let message =
            Array(#"{"method":"a.b.C","parameters":{"text":""#.utf8) + [0xC3, 0x28]
            + Array(#""}}"#.utf8)

        #expect(throws: MalformedMessage()) { try Call(decoding: message) }
    }

    @Test(
        "malformed JSON is rejected even in members that are not read",
        arguments: [
            "01", "1.", "1e", "+1", ".5", "-", "0x1", "NaN", "tru", "nulll", "'a'", "[1,]", "[,1]",
            "[1 2]", "[1", #"{"a":1,}"#, #"{"a"}"#, "{a:1}", #"{"a":1 "b":2}"#, "1/**/",
            #""\q""#, #""\u12g4""#, #""\u12"#, "\"\n\"", "\"\u{1}\"", "\u{A0}1",
        ]
    )
    func refusesBroken(value: String) {
        #expect(throws: MalformedMessage()) {
            try call(#"{"method":"a.b.C","com.example.note":\#(value)}"#)
        }
    }

    @Test(
        "all JSON syntax is accepted",
        arguments: [
            "0", "-0", "-12.50e+3", "1E9", "true", "false", "null", "[ ]", "{ }", "[1, [2 ,3]]",
            #"{"a" : {"b":[{}]}}"#, #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, #""é😀""#,
            #""\ud800""#, #"{"a":1,"a":2}"#,
        ]
    )
    func takes(value: String) throws {
        let text = " {\t\"method\" : \"a.b.C\",\r\n\"com.example.note\": \(value) } "
        #expect(try call(text).method == "a.b.C")
    }

    @Test("values may be nested to a depth of 512 and no deeper")
    func limitsNesting() throws {
        func message(depth: Int) -> String {
            let value =
                String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return #"{"method":"a.b.C","com.example.note":\#(value)}"#
        }
        #expect(try call(message(depth: 511)).method == "a.b.C")
        #expect(throws: MalformedMessage()) { try call(message(depth: 512)) }
    }

    @Test("endlessly nested values are rejected without exhausting the stack")
    func refusesNesting() {
        let deep = String(repeating: "[", count: 500_000)

        #expect(throws: MalformedMessage()) {
            try call(#"{"method":"a.b.C","parameters":{"text":\#(deep)"#)
        }
    }

    @Test(
        "absent parameters, null and {} are equivalent",
        arguments: ["", #","parameters":null"#, #","parameters":{}"#]
    )
    func acceptsNoParameters(member: String) throws {
        let call = try call(#"{"method":"a.b.C"\#(member)}"#)

        #expect(try call.parameters(as: NoParameters.self) == NoParameters())
        #expect(throws: VarlinkError.invalidParameter("text")) {
            try call.parameters(as: EchoParameters.self)
        }
    }

    @Test("parameters are decoded, and a nullable one may be null")
    func decodes() throws {
        let parameters = #"{"text":"ä\u0000","count":null,"inner":{"flag":true}}"#
        let call = try call(#"{"method":"a.b.C","parameters":\#(parameters)}"#)

        #expect(
            try call.parameters(as: EchoParameters.self)
                == EchoParameters(text: "ä\0", inner: .init(flag: true))
        )
    }

    @Test(
        "the error names the invalid parameter",
        arguments: [
            (#"{"text":1}"#, "text"),
            (#"{"text":null}"#, "text"),
            (#"{"count":1}"#, "text"),
            (#"{"text":"","count":"1"}"#, "count"),
            (#"{"text":"","count":1.5}"#, "count"),
            (#"{"text":"","count":99999999999999999999}"#, "count"),
            (#"{"text":"","inner":{"flag":1}}"#, "inner"),
            (#"{"text":"","inner":[]}"#, "inner"),
            (#"{"text":"","other":1}"#, "other"),
            (#"{"text":"","Text":""}"#, "Text"),
            (#"{"b":1,"a":1}"#, "a"),
        ]
    )
    func namesParameter(parameters: String, name: String) throws {
        let call = try call(#"{"method":"a.b.C","parameters":\#(parameters)}"#)

        #expect(throws: VarlinkError.invalidParameter(name)) {
            try call.parameters(as: EchoParameters.self)
        }
    }

    @Test("a method without parameters rejects any")
    func refusesAnyParameter() throws {
        let call = try call(#"{"method":"a.b.C","parameters":{"x":1}}"#)

        #expect(throws: VarlinkError.invalidParameter("x")) {
            try call.parameters(as: NoParameters.self)
        }
    }
}
