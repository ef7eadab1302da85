internal import Testing

@testable internal import VerypollConfiguration

@Suite("Configuration: reload")
struct ConfigurationReloadTests {
    @Test("an invalid setting is not compared with its former value, on any number of processors")
    func comparesNoneWrong() throws {
        let former = try configuration(
            listener().replacing("{\"listeners\"", with: "{\"workers\": 1000, \"listeners\"")
        )
        let text = listener().replacing(
            "{\"listeners\"",
            with: "{\"workers\": 0, \"control\": 5, \"listeners\""
        )
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration(
                parsing: Array(text.utf8),
                file: "test.json",
                descriptorLimit: 1 << 20,
                after: former
            )
        }
        #expect(error?.problems.map(\.pointer) == ["/workers", "/control"])
    }
}
