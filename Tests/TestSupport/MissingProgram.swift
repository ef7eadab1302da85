import Glibc

/// A program that a test needs and that is not installed.
package struct MissingProgram: Error, CustomStringConvertible {
    /// The missing program, and the remedy.
    package let description: String

    init(_ name: String) {
        description = "\(name) is not installed; run make test, which installs it"
    }
}

/// Throws ``MissingProgram`` unless a program is in `PATH`, or at `name` if that is a path.
package func requireProgram(_ name: String) throws(MissingProgram) {
    let folders = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
    let paths = name.contains("/") ? [name] : folders.split(separator: ":").map { "\($0)/\(name)" }
    guard paths.contains(where: { unsafe access($0, X_OK) == 0 }) else {
        throw MissingProgram(name)
    }
}
