import Testing
import VerypollConfiguration

@testable import VerypollServer

@Suite("SessionService")
struct SessionServiceTests {
    @Test("each kind of handler has a service with the same raw value")
    func keepsRawValues() {
        for kind in Handler.Kind.allCases {
            #expect(SessionService(kind).rawValue == kind.rawValue)
        }
    }
}
