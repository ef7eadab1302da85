#if OSPoll && Net
import SystemPackage
import TestSupport
import Verypoll

extension RegistrationModel {
    mutating func register(_ end: Int) throws {
        let modes: [RegistrationMode] = [.edge, .level, .oneShot, .edgeOneShot, .exclusive]
        let new = registration(in: modes)
        log.note("register \(name(end)) \(describe(new))", end)
        let wasRegistered = ends[end].registration != nil
        try attempt(end, throwing: wasRegistered ? .fileExists : nil) { model throws(Errno) in
            // Use both handles of the registry, which must have the same state.
            if new.token.rawValue % 2 == 0 {
                try model.ends[end].socket?.register(model.poll.registry, new)
            } else {
                try model.ends[end].socket?.register(model.clone, new)
            }
        }
        if !wasRegistered { adopt(new, of: end) }
    }

    mutating func reregister(_ end: Int) throws {
        let new = registration(in: [.edge, .level, .oneShot, .edgeOneShot])
        log.note("reregister \(name(end)) \(describe(new))", end)
        var error: Errno?
        if ends[end].registration == nil { error = .noSuchFileOrDirectory }
        if ends[end].registration?.mode == .exclusive { error = .invalidArgument }
        try attempt(end, throwing: error) { model throws(Errno) in
            try model.ends[end].socket?.reregister(model.poll.registry, new)
        }
        guard error == nil else { return }
        forget(end)
        adopt(new, of: end)
    }

    mutating func deregister(_ end: Int) throws {
        log.note("deregister \(name(end))", end)
        let isRegistered = ends[end].registration != nil
        try attempt(end, throwing: isRegistered ? nil : .noSuchFileOrDirectory) {
            model throws(Errno) in
            try model.ends[end].socket?.deregister(model.poll.registry)
        }
        forget(end)
    }

    mutating func forget(_ end: Int) {
        if let old = ends[end].registration { owners[old.token] = nil }
        ends[end].registration = nil
    }

    private mutating func adopt(_ new: ModelRegistration, of end: Int) {
        owners[new.token] = end
        ends[end].registration = new
    }

    /// Makes a registration with an unused token.
    private mutating func registration(in modes: [RegistrationMode]) -> ModelRegistration {
        let mode = modes.randomElement(using: &generator) ?? .edge
        // `priority` is not allowed in exclusive mode.
        let last: UInt8 = mode == .exclusive ? 3 : 7
        let interest = Interest(rawValue: UInt8.random(in: 1...last, using: &generator))
        let token = Token(Int(truncatingIfNeeded: generator.next()))
        return ModelRegistration(token: token, interest: interest, mode: mode)
    }

    private func describe(_ new: ModelRegistration) -> String {
        "for \(new.interest), \(new.mode), as \(new.token.rawValue)"
    }

    private mutating func attempt(
        _ end: Int,
        throwing expected: Errno?,
        _ body: (inout RegistrationModel) throws(Errno) -> Void
    ) throws {
        var thrown: Errno?
        do throws(Errno) {
            try body(&self)
        } catch {
            thrown = error
        }
        let name = { (error: Errno?) in error.map { "\($0)" } ?? "nothing" }
        let what = "the call threw \(name(thrown)) but should have thrown \(name(expected))"
        try require(thrown == expected, what, end)
    }
}
#endif
