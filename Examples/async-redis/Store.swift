import Synchronization

/// The values, which all connections share.
///
/// A lock is the simplest correct way for tasks to share state: the compiler checks that every
/// access has it, and that no access waits while it has it. As long as all tasks run on one
/// executor, the lock is always free. With several executors, the code is still correct.
final class Store: Sendable {
    /// The most bytes of all keys and values together.
    static let largestSize = 1 << 26

    private struct State {
        var values: [[UInt8]: [UInt8]] = [:]
        var byteCount = 0

        /// Replaces or removes a value; returns `false` if there is no room.
        mutating func set(_ key: [UInt8], _ value: [UInt8]?) -> Bool {
            let oldSize = values[key].map { key.count + $0.count } ?? 0
            let newSize = value.map { key.count + $0.count } ?? 0
            let total = byteCount - oldSize + newSize
            guard total <= largestSize || value == nil else { return false }
            byteCount = total
            values[key] = value
            return true
        }
    }

    private let state = Mutex(State())

    /// Executes a command.
    func reply(to command: Command) -> Reply {
        let arguments = Array(command.arguments)
        switch (command.name, arguments.count) {
        case ("PING", 0): return .status("PONG")
        case ("PING", 1), ("ECHO", 1): return .bulk(arguments[0])
        case ("GET", 1): return .bulk(state.withLock { $0.values[arguments[0]] })
        case ("SET", 2):
            let hasRoom = state.withLock { $0.set(arguments[0], arguments[1]) }
            return hasRoom ? .status("OK") : .error("out of memory")
        case ("DEL", 1...): return .integer(delete(arguments))
        case ("INCR", 1): return increment(arguments[0])
        case ("COMMAND", _): return .emptyArray
        case ("QUIT", _): return .status("OK")
        case ("PING", _), ("ECHO", _), ("GET", _), ("SET", _), ("DEL", _), ("INCR", _):
            return .error("wrong number of arguments for '\(command.name.lowercased())' command")
        default:
            return .error("unknown command")
        }
    }

    /// Removes values, and returns how many there were.
    private func delete(_ keys: [[UInt8]]) -> Int {
        state.withLock { state in
            keys.count { key in
                guard state.values[key] != nil else { return false }
                return state.set(key, nil)
            }
        }
    }

    private func increment(_ key: [UInt8]) -> Reply {
        state.withLock { state in
            guard let old = number(state.values[key] ?? [UInt8(ascii: "0")]), old < .max else {
                return .error("value is not an integer or out of range")
            }
            let hasRoom = state.set(key, Array("\(old + 1)".utf8))
            return hasRoom ? .integer(old + 1) : .error("out of memory")
        }
    }
}
