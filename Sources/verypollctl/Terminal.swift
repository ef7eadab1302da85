internal import Console
internal import FoundationEssentials
internal import Glibc

/// The properties of standard output.
struct Terminal: Hashable, Sendable {
    /// Whether standard output is a terminal.
    var isInteractive: Bool

    /// Whether text may have colors.
    var hasColor: Bool

    /// The width of the terminal in columns, or `nil` for no limit.
    var columns: Int?

    /// The properties of this process's standard output.
    static var standardOutput: Terminal {
        let environment = ProcessInfo.processInfo.environment
        let isInteractive = isatty(STDOUT_FILENO) == 1
        let isPlain =
            environment["NO_COLOR"].map { !$0.isEmpty } == true || environment["TERM"] == "dumb"
        return Terminal(
            isInteractive: isInteractive,
            hasColor: isInteractive && !isPlain,
            columns: width(in: environment) ?? (isInteractive ? width() : nil)
        )
    }

    /// Returns the width that the variable COLUMNS has, or `nil` if it is not a valid width.
    ///
    /// Shells do not export COLUMNS by themselves, so a user has set it, also for a pipe.
    static func width(in environment: [String: String]) -> Int? {
        environment["COLUMNS"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Returns the width of the window, or `nil` if it is unknown.
    private static func width() -> Int? {
        size().flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
    }

    /// Returns the height of the window in lines, or `nil` if it is unknown.
    static func height() -> Int? {
        size().flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
    }

    private static func size() -> winsize? {
        var size = winsize()
        return unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }

    /// Returns a text in a style, or the plain text if colors are off.
    func styled(_ text: DisplayText, _ style: Style) -> DisplayText {
        guard hasColor, let rendition = style.graphicRendition else { return text }
        return DisplayText(text, graphicRendition: rendition)
    }
}

/// The style of a text.
enum Style: Hashable, Sendable {
    case plain
    case bold
    case underlined
    case red
    case green
    case yellow

    /// The parameter of SGR in console_codes(4), or `nil` for plain text.
    var graphicRendition: StaticString? {
        switch self {
        case .plain: nil
        case .bold: "1"
        case .underlined: "4"
        case .red: "1;31"
        case .green: "1;32"
        case .yellow: "1;33"
        }
    }
}

/// Writes a message to standard error.
func writeError(_ message: DisplayText) {
    Console.printError([message])
}
