internal import CProcessStart
internal import Glibc

/// The arguments of the program, from main's own argc and argv.
///
/// `CommandLine.arguments` is empty where /proc can't be read, and repairs bytes that are not
/// UTF-8, so that a path names another file.
package enum ProgramArguments {
    /// Reads the arguments that follow the program's name.
    ///
    /// - Throws: ``ProgramArgumentError`` if they are not known, or are not text.
    package static func afterName() throws(ProgramArgumentError) -> [String] {
        let count = cprocessstart_argument_count()
        guard count > 0 else { throw .unknown }
        return try decode(
            (1..<max(1, count)).map { index in
                guard let word = unsafe cprocessstart_argument(index) else { return [] }
                return unsafe UnsafeBufferPointer(start: word, count: strlen(word))
                    .map(UInt8.init(bitPattern:))
            }
        )
    }

    /// Reads arguments as text.
    static func decode(_ words: [[UInt8]]) throws(ProgramArgumentError) -> [String] {
        var texts: [String] = []
        for (index, word) in words.enumerated() {
            guard let text = String(validating: word, as: UTF8.self) else {
                throw .notText(
                    index: index + 1,
                    shown: String(decoding: word, as: UTF8.self)
                )
            }
            texts.append(text)
        }
        return texts
    }

    /// The path that the program was executed by, with symbolic links followed; `nil` if the kernel
    /// does not tell, or the program has been moved or deleted since.
    package static func programPath() -> String? {
        guard let given = unsafe cprocessstart_executed_path(),
            let path = unsafe realpath(given, nil)
        else { return nil }
        defer { unsafe free(path) }
        return unsafe String(validatingCString: path)
    }
}

/// Why the arguments of the program can't be used.
package enum ProgramArgumentError: Error, Hashable, CustomStringConvertible {
    /// The C library did not pass them.
    case unknown
    /// One is not UTF-8.
    case notText(index: Int, shown: String)

    package var description: String {
        switch self {
        case .unknown:
            "the arguments can't be read: the program was started without any, not even its name;"
                + " start it from a shell or a service manager"
        case .notText(let index, let shown):
            "argument \(index), \"\(shown.escapedForPeople)\", is not valid UTF-8; use a name that"
                + " is"
        }
    }
}
