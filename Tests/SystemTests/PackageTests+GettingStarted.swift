import TestSupport
import Testing

extension PackageTests {
    /// The commands of a block of a guide, and the output that it shows.
    private struct Step {
        let commands: String
        var shown: String?
    }

    private static let separator = "--- end of a step ---"

    private func steps(of guide: String) throws -> [Step] {
        var steps: [Step] = []
        var isAfterCommands = false
        for block in try Document(guide).blocks {
            if block.language == "sh" {
                steps.append(Step(commands: block.text))
            } else if isAfterCommands, block.language == "console" {
                steps[steps.count - 1].shown = block.text
            }
            isAfterCommands = block.language == "sh"
        }
        return steps
    }

    /// Returns the lines with `#` for each number and its unit, without those that tell times.
    private func form(of text: some StringProtocol) -> [String] {
        String(text).split(separator: "\n").filter { !$0.contains(" ago") }.map { line in
            String(line).replacing(/[0-9][0-9.]*[A-Za-z%]*/, with: "#").split(separator: " ")
                .joined(separator: " ")
        }
    }

    @Test(
        "the commands in a guide work in order, and print what it shows",
        arguments: ["docs/getting-started.md", "docs/from-haproxy.md"]
    )
    func follows(guide: String) throws {
        try reinstall()
        let steps = try steps(of: guide)
        #expect(steps.count > 10)
        let script = steps.map { "\($0.commands)\necho '\(Self.separator)'\n" }.joined()
        let output = try lab.must("bash", "-euc", "exec 2>&1\n\(script)")
        let parts = output.split(
            separator: "\(Self.separator)\n",
            omittingEmptySubsequences: false
        )
        try #require(parts.count == steps.count + 1)
        for (step, printed) in zip(steps, parts) {
            guard let shown = step.shown else { continue }
            #expect(form(of: printed) == form(of: shown), "\(step.commands)\(printed)")
        }
    }
}
