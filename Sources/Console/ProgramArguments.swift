internal import CProcessStart
internal import Glibc

/// The arguments of the program, from the argc and argv of main.
///
/// Use this instead of `CommandLine.arguments`, which is empty if /proc cannot be read. It also
/// replaces bytes that are not UTF-8, so that a path could name another file.
package enum ProgramArguments {
    /// Reads the arguments after the program's name.
    ///
    /// - Throws: ``ProgramArgumentError`` if the arguments are not available or not UTF-8.
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

    /// Decodes arguments as text.
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

    /// Returns the path of the program with symbolic links resolved, or `nil` if the path is
    /// unknown or the program was moved or deleted.
    package static func programPath() -> String? {
        guard let given = unsafe cprocessstart_executed_path(),
            let path = unsafe realpath(given, nil)
        else { return nil }
        defer { unsafe free(path) }
        return unsafe String(validatingCString: path)
    }
}

/// The reason why the program's arguments cannot be used.
package enum ProgramArgumentError: Error, Hashable, CustomStringConvertible {
    /// The program has no arguments, not even its name, or the C library did not pass them.
    case unknown
    /// An argument is not UTF-8.
    case notText(index: Int, shown: String)

    package var description: String {
        switch self {
        case .unknown:
            "cannot read the arguments: the program was started without any, not even its name;"
                + " start it from a shell or a service manager"
        case .notText(let index, let shown):
            "argument \(index), \"\(shown.escapedForPeople)\", is not valid UTF-8; use text in"
                + " UTF-8"
        }
    }
}
