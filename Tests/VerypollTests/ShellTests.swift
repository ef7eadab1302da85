#if !OSPoll
import Testing
import Verypoll

@Suite("The library without its traits")
struct ShellTests {
    @Test("without the trait OSPoll, a poll traps with a clear message")
    func traps() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
        {
            _ = try Poll()
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("built without the trait OSPoll"))
    }
}
#endif
