internal import Testing

@testable internal import VerypollConfiguration

@Suite("Suggestions")
struct SuggestionsTests {
    @Test(
        "suggestions cover a few typing errors and no more",
        arguments: [
            ("listner", "listener"), ("LISTENER", "listener"), ("ilstener", "listener"),
            ("ap", "app"), ("pap", "app"), ("lis", nil), ("", nil), ("zzz", nil),
        ] as [(String, String?)]
    )
    func suggestions(name: String, nearest: String?) {
        let names = ["listener", "app", "upstreams"]
        #expect(Suggestions().nearest(to: name, among: names) == nearest)
    }

    @Test("suggestions stop when their time limit for the whole file is used up")
    func boundsSuggestions() {
        let stem = String(repeating: "u", count: 60)
        let names = (0..<256).map { "\(stem)\(100 + $0)" }
        let upstreams = names.map { #""\#($0)": {"servers": ["h:1"]}"# }.joined(separator: ",")
        let listeners = (0..<90).map {
            #""\#($0)": {"listen": ["127.0.0.1:0"], "handler": {"type": "proxy", "#
                + #""upstream": "\#(stem)x\#(10 + $0)"}}"#
        }
        let listing = listeners.joined(separator: ",")
        let found = complaints(
            about: #"{"upstreams": {\#(upstreams)}, "listeners": {\#(listing)}}"#
        )
        #expect(found.count == 90)
        #expect(found.first?.contains("did you mean") == true)
        #expect(found.last?.contains("did you mean") == false)
    }
}
