internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// What is known of standard output.
struct Terminal: Hashable, Sendable {
    /// Whether somebody looks at it.
    var isInteractive: Bool

    /// Whether text may be coloured.
    var hasColor: Bool

    /// How many columns a line has, or `nil` for any number.
    var columns: Int?

    /// Standard output as it is.
    static var standardOutput: Terminal {
        let environment = ProcessInfo.processInfo.environment
        let isInteractive = isatty(STDOUT_FILENO) == 1
        let isPlain =
            environment["NO_COLOR"].map { !$0.isEmpty } == true || environment["TERM"] == "dumb"
        return Terminal(
            isInteractive: isInteractive,
            hasColor: isInteractive && !isPlain,
            columns: isInteractive ? environment["COLUMNS"].flatMap(Int.init) ?? width() : nil
        )
    }

    /// The width of the window, or `nil` if nobody knows.
    private static func width() -> Int? {
        size().flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
    }

    /// How many lines the window has, or `nil` if nobody knows.
    static func height() -> Int? {
        size().flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
    }

    private static func size() -> winsize? {
        var size = winsize()
        return unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }

    /// Text in a style, if there are styles.
    func styled(_ text: String, _ style: Style) -> String {
        hasColor && style != .plain ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}

/// How text looks; the values are those of SGR in console_codes(4).
enum Style: String, Hashable, Sendable {
    case plain = "0"
    case bold = "1"
    case underlined = "4"
    case red = "1;31"
    case green = "1;32"
    case yellow = "1;33"
}

/// Writes a message to standard error.
func writeError(_ message: String) {
    // Where even this can't be written, nobody can be told.
    _ = try? FileDescriptor.standardError.writeAll("\(message)\n".utf8)
}
