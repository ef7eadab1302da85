import Testing
import Verypoll

@Suite("Interest and Token")
struct InterestTests {
    @Test(
        "an interest prints the names of its members",
        arguments: [
            (Interest.readable, "readable"), (.writable, "writable"), (.priority, "priority"),
            ([.readable, .writable], "readable|writable"),
            ([.priority, .writable, .readable], "readable|writable|priority"), ([], ""),
        ] as [(Interest, String)]
    )
    func prints(interest: Interest, text: String) {
        #expect(interest.description == text)
    }

    @Test("interests are added, removed and tested")
    func isASet() {
        var interest: Interest = .readable
        interest.insert(.priority)
        #expect(interest == [.readable, .priority])
        #expect(interest.contains(.readable) && !interest.contains(.writable))
        interest.remove(.readable)
        #expect(interest == .priority)
        #expect(interest.union(.writable).subtracting(.priority) == .writable)
    }

    @Test("a token holds any number, and tokens with the same number are equal")
    func isANumber() {
        #expect(Token(7) == Token(rawValue: 7) && Token(7) != Token(-7))
        #expect(Set([Token(1), Token(2), Token(1)]).count == 2)
    }
}
