import TestSupport
import Testing

@Suite("Benchmark charts")
struct BenchmarkChartTests {
    @Test("results are saved, read again and drawn in proportion")
    func draws() throws {
        let result = try Program.run(
            "python3",
            [Repository.path(ofProgram: "benchmark_charts.py")],
            environment: ["PYTHONDONTWRITEBYTECODE": "1"]
        )
        #expect(result.exit == .code(0), "\(result.standardError)")
    }
}
