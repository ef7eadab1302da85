internal import Console
internal import FoundationEssentials
internal import Glibc

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
    func styled(_ text: DisplayText, _ style: Style) -> DisplayText {
        guard hasColor, let rendition = style.graphicRendition else { return text }
        return DisplayText(text, graphicRendition: rendition)
    }
}

/// How text looks.
enum Style: Hashable, Sendable {
    case plain
    case bold
    case underlined
    case red
    case green
    case yellow

    /// The parameter of SGR in console_codes(4), or `nil` for text as it is.
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
