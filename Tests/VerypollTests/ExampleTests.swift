#if OSPoll && Net
import Testing
import TestSupport

@Suite("Examples")
struct ExampleTests {
    @Test("the guide's server accepts and drops one client after the other")
    func acceptsAndDrops() throws {
        let server = try Program("accept-and-drop", ["127.0.0.1:0"])
        let greeting = try server.waitForStandardOutput(containing: "listening on 127.0.0.1:")
        let digits = greeting.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
        let port = try #require(UInt16(digits))
        for _ in 0..<3 {
            let client = try Client(port: port)
            #expect(try client.receiveToEnd().isEmpty)
        }
        _ = try server.waitForStandardOutput(containing: "dropping 127.0.0.1:")
    }
}
#endif
