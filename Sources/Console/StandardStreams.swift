package import SystemPackage

/// The output of the commands.
///
/// Only the full screen of `verypollctl top` and the daemon's log bypass this type.
package enum Console {
    /// Prints lines on standard output.
    ///
    /// - Throws: See write(2).
    package static func print(_ lines: [DisplayText]) throws(Errno) {
        if lines.isEmpty { return }
        try write(lines.map { "\($0)\n" }.joined(), to: .standardOutput)
    }

    /// Prints text for programs, unchanged.
    ///
    /// - Throws: See write(2).
    package static func print(exactly text: String) throws(Errno) {
        try write(text, to: .standardOutput)
    }

    /// Prints lines on standard error.
    package static func printError(_ lines: [DisplayText]) {
        // If this fails, there is no other place to report it.
        try? write(lines.map { "\($0)\n" }.joined(), to: .standardError)
    }

    private static func write(_ text: String, to file: FileDescriptor) throws(Errno) {
        do {
            _ = try file.writeAll(text.utf8)
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError  // The call above throws nothing else.
        }
    }
}
