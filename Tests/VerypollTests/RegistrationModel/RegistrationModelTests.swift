#if OSPoll && Net
import Foundation
import Testing
import Verypoll

@Suite("Registration")
struct RegistrationModelTests {
    /// `VERYPOLL_MODEL_SEED` and `VERYPOLL_MODEL_STEPS` repeat a failure, or search for longer.
    @Test("whatever is done to sockets, what must be reported is, and nothing else")
    func agreesWithModel() async {
        // Another test's process has its descriptors as well, for the moment until it executes:
        // then the kernel goes on to report what the model has closed.
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
