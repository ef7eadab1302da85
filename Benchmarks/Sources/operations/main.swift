// Performs operations of the library, and the same in plain C, to be timed or counted.
//
// Usage: operations list
//        operations time NAME ROUNDS
//        operations count NAME verypoll|c COUNT
//
// `time` prints one line per round: the nanoseconds of CPU time per operation, in the library and
// in C. `count` performs an operation COUNT times, so that a profiler can count system calls.
import COperations

/// Slices of both sides alternate, so that disturbances of the machine affect both alike.
func time(_ operation: Operation, slices: Int) throws -> (swift: Double, c: Double) {
    // As many operations as take C about five milliseconds.
    var count = 64
    while cpuTime(of: { operation.c(count) }) < 5_000_000 { count *= 2 }
    try operation.swift(count)
    var swift: UInt64 = 0
    var c: UInt64 = 0
    for slice in 0..<slices {
        if slice.isMultiple(of: 2) { c += cpuTime { operation.c(count) } }
        swift += try cpuTime { try operation.swift(count) }
        if !slice.isMultiple(of: 2) { c += cpuTime { operation.c(count) } }
    }
    let total = Double(count * slices)
    return (Double(swift) / total, Double(c) / total)
}

func cpuTime(of body: () throws -> Void) rethrows -> UInt64 {
    let begin = c_cpu_time()
    try body()
    return c_cpu_time() - begin
}

func operation(named name: String) -> Operation {
    guard let operation = Operation.all.first(where: { $0.name == name }) else {
        fatalError("\(name) is not an operation; run `operations list`")
    }
    return operation
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case ("list", 1):
    for operation in Operation.all { print(operation.name) }
case ("time", 3):
    for _ in 0..<(Int(arguments[2]) ?? 0) {
        let (swift, c) = try time(operation(named: arguments[1]), slices: 20)
        print(swift, c)
    }
case ("count", 4):
    let operation = operation(named: arguments[1])
    guard let count = Int(arguments[3]) else { fatalError("\(arguments[3]) is not a valid number") }
    if arguments[2] == "c" { operation.c(count) } else { try operation.swift(count) }
default:
    fatalError("usage: operations list | time NAME ROUNDS | count NAME verypoll|c COUNT")
}
