/// Returns the port that an example prints when it listens.
package func portOfGreeting(of program: borrowing Program) throws -> UInt16 {
    let prefix = "listening on 127.0.0.1:"
    let greeting = try program.waitForStandardOutput(containing: prefix)
    let line = greeting.split(separator: "\n").first { $0.hasPrefix(prefix) } ?? ""
    guard let port = UInt16(line.dropFirst(prefix.count)) else {
        throw TimedOut(waitingFor: "a port in \(greeting)")
    }
    return port
}
