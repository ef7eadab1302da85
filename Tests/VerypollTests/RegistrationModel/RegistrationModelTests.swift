#if OSPoll && Net
import Foundation
import Testing
import Verypoll

@Suite("Registration")
struct RegistrationModelTests {
    /// Set `VERYPOLL_MODEL_SEED` and `VERYPOLL_MODEL_STEPS` to repeat a failure, or to search for
    /// longer.
    @Test("random operations on sockets report exactly the required and allowed events")
    func agreesWithModel() async {
        // Outside an exit test, another test's child process holds copies of the descriptors until
        // it calls execve(2), and the kernel keeps reporting sockets that the model has closed.
        await #expect(processExitsWith: .success) { try runModel() }
    }
}

private func runModel() throws {
    let environment = ProcessInfo.processInfo.environment
    let seed = environment["VERYPOLL_MODEL_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    let steps = environment["VERYPOLL_MODEL_STEPS"].flatMap { Int($0) } ?? 20_000
    var model = try RegistrationModel(seed: seed)
    do {
        try model.run(steps: steps)
    } catch {
        Issue.record(
            "\(error)\nVERYPOLL_MODEL_SEED=\(seed), after:\n\(model.log.tail(after: error))"
        )
    }
}
#endif
