internal import FuzzSupport
internal import Verypoll

/// Compares a slab with a dictionary, and a queue of its keys with an array.
private let target = FuzzTarget { input in
    var script = Script(input)
    let ledger = Ledger()
    do {
        var trial = Trial(capacity: 1 + script.next(below: 8), ledger: ledger)
        while !script.isOver { trial.step(&script) }
        trial.check()
    }
    require(ledger.living.isEmpty, "values outlived their slab")
}

/// Tracks which values are alive, to find values that are destroyed never or twice.
private final class Ledger {
    var living: Set<Int> = []
    var born = 0
}

private struct Value: ~Copyable {
    let number: Int
    var changes = 0
    private let ledger: Ledger

    init(_ ledger: Ledger) {
        self.ledger = ledger
        number = ledger.born
        ledger.born += 1
        ledger.living.insert(number)
    }

    deinit {
        require(ledger.living.remove(number) != nil, "a value was destroyed twice")
    }
}

private struct Trial: ~Copyable {
    private struct Known {
        let number: Int
        var changes = 0
    }

    private let ledger: Ledger
    private var slab: Slab<Value>
    private var queue: ReadyQueue
    private var known: [SlabKey: Known] = [:]
    private var waiting: [SlabKey] = []
    /// The keys that were ever returned, in order.
    private var given: [SlabKey] = []

    init(capacity: Int, ledger: Ledger) {
        self.ledger = ledger
        slab = Slab(capacity: capacity)
        queue = ReadyQueue(capacity: capacity)
    }

    mutating func step(_ script: inout Script) {
        switch script.next(below: 8) {
        case 0, 1: insert()
        case 2: remove(pick(&script))
        case 3: change(pick(&script))
        case 4: checkToken(Token(script.next(Int.self)))
        case 5, 6: append(pick(&script))
        default: popFirst()
        }
        require(slab.count == known.count, "\(slab.count) values, not \(known.count)")
        require(ledger.living.count == known.count, "a value was lost or kept")
        require(queue.count == waiting.count, "the queue has \(queue.count) keys")
        require(queue.isEmpty == waiting.isEmpty, "isEmpty contradicts the queue's count")
    }

    /// Checks all properties that can be read without changing anything.
    mutating func check() {
        for key in given { checkToken(key.token) }
        var found: Set<SlabKey> = []
        for index in 0..<slab.endIndex {
            guard let key = slab.key(at: index) else { continue }
            require(
                Int(key.index) == index && found.insert(key).inserted,
                "\(key) at \(index)"
            )
        }
        require(found == Set(known.keys), "the slots hold wrong values")
        require(slab.key(at: slab.endIndex) == nil, "a key past the end")
        for (key, value) in known {
            require(slab[key].number == value.number, "\(key) has another key's value")
            require(slab[key].changes == value.changes, "a change was lost")
        }
        while !waiting.isEmpty { popFirst() }
        require(queue.popFirst() == nil, "a key in the queue was never added")
    }

    /// Returns a key that was returned before, live or stale; recent ones are more likely.
    private func pick(_ script: inout Script) -> SlabKey? {
        let back = 1 + script.next(below: 32)
        return back <= given.count ? given[given.count - back] : nil
    }

    private mutating func insert() {
        let number = ledger.born
        switch slab.insert(Value(ledger)) {
        case .stored(let key):
            require(known.count < slab.capacity, "stored over the capacity")
            require(Int(key.index) < slab.capacity, "\(key) is out of range")
            require(!given.contains(key), "\(key) was reused")
            given.append(key)
            known[key] = Known(number: number)
        case .full(let value):
            require(known.count == slab.capacity, "full too soon")
            require(value.number == number, "another value was returned")
        }
    }

    private mutating func remove(_ key: SlabKey?) {
        guard let key else { return }
        let old = known.removeValue(forKey: key)
        guard let value = slab.remove(key) else {
            require(old == nil, "\(key) was lost")
            return
        }
        require(value.number == old?.number, "\(key) returned another key's value")
        require(!slab.contains(key), "\(key) is still present")
    }

    private mutating func change(_ key: SlabKey?) {
        guard let key, known[key] != nil else { return }
        slab[key].changes += 1
        known[key]?.changes += 1
    }

    /// Checks an arbitrary token: only the tokens of stored values may yield a present key.
    private func checkToken(_ token: Token) {
        guard let key = SlabKey(token) else {
            require(token.rawValue < 0, "\(token) has no key")
            return
        }
        require(key.token == token, "\(token) round-trips to \(key.token)")
        require(slab.contains(key) == (known[key] != nil), "wrong about the presence of \(key)")
        require(queue.contains(key) == waiting.contains(key), "wrong about \(key) in the queue")
    }

    private mutating func append(_ key: SlabKey?) {
        guard let key else { return }
        queue.append(key)
        if let place = waiting.firstIndex(where: { $0.index == key.index }) {
            waiting[place] = key
        } else {
            waiting.append(key)
        }
    }

    private mutating func popFirst() {
        let first = waiting.isEmpty ? nil : waiting.removeFirst()
        let popped = queue.popFirst()
        require(popped == first, "\(String(describing: popped)) was popped")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe target.run(bytes, count)
}
