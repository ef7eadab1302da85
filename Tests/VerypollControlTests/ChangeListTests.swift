import Testing
import VerypollControl

@Suite("ChangeList")
struct ChangeListTests {
    @Test("of very many changes, as many as fit are listed, and the rest counted")
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
