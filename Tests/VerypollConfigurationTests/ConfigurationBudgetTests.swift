internal import TestSupport
internal import Testing
internal import VerypollControl

@testable internal import StrictJSON
@testable internal import VerypollConfiguration

@Suite("Work for a wrong configuration")
struct ConfigurationBudgetTests {
    @Test("of very many problems the first are told, and how many more there are")
    func boundsProblems() {
        let servers = Array(repeating: "1", count: 5000).joined(separator: ",")
        let error = #expect(throws: ConfigurationError.self) {
            try configuration(#"{"listeners": {"a": {"listen": [\#(servers)]}}}"#)
        }
        #expect(error?.problems.count == 100)
        // The missing handler is the 5,001st.
        #expect(error?.omittedCount == 4901)
        let lines = error?.description.split(separator: "\n")
        #expect(lines?.last == "test.json: and 4901 more problems")
    }

    @Test("suggestions stop when their time for the whole file is used up")
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

    @Test("keys of any length that stand twice are told with the beginning of their pointers")
    func boundsPointers() {
        let key = String(repeating: "k", count: 4000)
        let member = #""\#(key)": 1"#
        let members = Array(repeating: member, count: 200).joined(separator: ",")
        let error = #expect(throws: ConfigurationError.self) {
            try configuration("{\(members)}")
        }
        // 199 of the key, which is unknown too, and the listeners that are missing.
        #expect(error?.problems.count == 100)
        #expect(error?.omittedCount == 101)
        #expect(error?.problems.allSatisfy { $0.pointer.utf8.count <= 1027 } == true)
    }

    @Test("very many changes are told as far as they fit, and how many more there are")
    func boundsChanges() throws {
        let changes = (0..<3000).map { number in
            ConfigurationChange(
                pointer: "/listeners/\(number)",
                kind: .added,
                before: nil,
                after: String(repeating: "x", count: 1000)
            )
        }
        let list = ChangeList(changes: changes)
        #expect((500..<1100).contains(list.changes.count))
        #expect(list.omitted == 3000 - list.changes.count)
        #expect(ChangeList(changes: Array(changes.prefix(10))).omitted == nil)
    }
}
