internal import Testing

@testable internal import VerypollConfiguration

@Suite("ProblemList")
struct ProblemListTests {
    @Test("of very many problems, the first ones are listed, and the rest counted")
    func boundsProblems() {
        let servers = Array(repeating: "1", count: 5000).joined(separator: ",")
        let error = #expect(throws: ConfigurationError.self) {
            try configuration(#"{"listeners": {"a": {"listen": [\#(servers)]}}}"#)
        }
        #expect(error?.problems.count == 100)
        // The missing handler is problem number 5,001.
        #expect(error?.omittedCount == 4901)
        let lines = error?.description.split(separator: "\n")
        #expect(lines?.last == "test.json: and 4901 more problems")
    }

    @Test("long duplicate keys are reported with the beginning of their pointers")
    func boundsPointers() {
        let key = String(repeating: "k", count: 4000)
        let member = #""\#(key)": 1"#
        let members = Array(repeating: member, count: 200).joined(separator: ",")
        let error = #expect(throws: ConfigurationError.self) {
            try configuration("{\(members)}")
        }
        // 199 for the duplicates, one for the unknown key, and one for the missing listeners.
        #expect(error?.problems.count == 100)
        #expect(error?.omittedCount == 101)
        #expect(error?.problems.allSatisfy { $0.pointer.utf8.count <= 1027 } == true)
    }
}
