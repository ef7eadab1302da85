import Synchronization

/// A value that tasks share; it is destroyed with the last reference.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}

/// A value that is handed from one task to another, which takes it out.
final class OneUse<Value: ~Copyable & Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: consuming sending Value) {
        self.value = Mutex(value)
    }

    /// Returns the value; traps the second time.
    func take() -> Value {
        let taken = value.withLock { value in
            var taken: Value?
            swap(&taken, &value)
            return taken
        }
        guard let taken else { preconditionFailure("the value was taken before") }
        return taken
    }
}
