import Testing

@testable import Console

@Suite("DisplayText")
struct DisplayTextTests {
    @Test("only characters that could control a terminal are escaped")
    func escapes() {
        let steering: [ClosedRange<UInt32>] = [
            0...0x1F, 0x7F...0x9F, 0x61C...0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069,
        ]
        for value in UInt32(0)...0x2_FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let isSteering = steering.contains { $0.contains(value) }
            #expect(scalar.steersTerminal == isSteering, "U+\(String(value, radix: 16))")
            #expect((String(scalar).escapedForPeople == String(scalar)) == !isSteering)
        }
        #expect("a\n\u{1B}[2J".escapedForPeople == #"a\u000A\u001B[2J"#)
        #expect("\u{7F}\u{9B}31m".escapedForPeople == #"\u007F\u009B31m"#)
        #expect("\u{202E}gpj.\u{2066}é\u{2029}".escapedForPeople == #"\u202Egpj.\u2066é\u2029"#)
        #expect("\r\n".escapedForPeople == #"\u000D\u000A"#)
    }

    @Test("text that is already escaped stays as it is")
    func isIdempotent() {
        let once = "a\u{1B}\\b".escapedForPeople
        #expect(once == #"a\u001B\b"#)
        #expect(once.escapedForPeople == once)
    }

    @Test("interpolated values are escaped, and literals are not")
    func interpolates() {
        let name = "web\u{1B}[31m\n"
        let inner = DisplayText(name)
        let text: DisplayText = "\u{1B}[1m\(name) \(inner) \(7) \(Optional(name) ?? "")"
        let shown = #"web\u001B[31m\u000A"#
        #expect(text.description == "\u{1B}[1m\(shown) \(shown) 7 \(shown)")
        let red = DisplayText(inner, graphicRendition: "1;31")
        #expect(red.description == "\u{1B}[1;31m\(shown)\u{1B}[0m")
        #expect(([inner, "x"] + []).joined(separator: "\n").description == "\(shown)\nx")
    }

    @Test("a multi-line text is split at line feeds only")
    func splits() {
        let lines = DisplayText.lines(of: "a\r\nb\n\nc\u{2028}d\u{85}").map(\.description)
        #expect(lines == [#"a\u000D"#, "b", "", #"c\u2028d\u0085"#])
    }
}
