/// A pointer to a value that one thread uses, or whose parts synchronize themselves.
///
/// The executor's state is reached through such pointers rather than through classes: a copy costs
/// no reference count, and an access is not checked for exclusivity. A resumed continuation calls
/// the executor again, so callers end each access to a part before they resume one.
///
/// The owner calls ``deallocate()``, and no copy may be used afterward.
///
/// `Sendable` is unchecked, because the compiler cannot see that only one thread uses the value.
@safe struct ThreadReference<Value: ~Copyable>: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    /// Refers to a value in memory that something else owns.
    init(to pointer: UnsafeMutablePointer<Value>) {
        unsafe self.pointer = pointer
    }

    func deallocate() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    var value: Value {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }
}

extension ThreadReference: Equatable where Value: ~Copyable {
    static func == (first: Self, second: Self) -> Bool {
        unsafe first.pointer == second.pointer
    }
}
