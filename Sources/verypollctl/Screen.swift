internal import Console
internal import Glibc
internal import SystemPackage
internal import Verypoll

/// The full terminal screen, which is redrawn repeatedly and restored at the end.
struct Screen: ~Copyable {
    private static let keys = Token(0)
    private static let signals = Token(1)

    /// The control sequences of xterm that select the alternate screen, hide the cursor and turn
    /// off line wrapping.
    private static let begin = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    private static let end = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private var poll: Poll
    private var events = Events(capacity: 4)
    /// The former modes of the terminal, or `nil` if standard input is not a terminal.
    private let modes: termios?
    private let source: SignalSource

    /// Switches the terminal to the alternate screen.
    init() throws(Failure) {
        do throws(Errno) {
            let poll = try Poll()
            let source = try SignalSource(blocking: [.interrupt, .terminate, .hangUp])
            try poll.registry.register(source, token: Self.signals, interest: .readable)
            var modes = termios()
            if unsafe tcgetattr(STDIN_FILENO, &modes) == 0 {
                let keys = SourceFD(.standardInput)
                try poll.registry.register(
                    keys,
                    token: Self.keys,
                    interest: .readable,
                    mode: .level
                )
                var raw = modes
                raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
                _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &raw)
                self.modes = modes
            } else {
                self.modes = nil
            }
            self.poll = poll
            self.source = source
        } catch {
            throw Failure(status: .failed, message: "cannot use the terminal: \(error)")
        }
        Self.write(Self.begin)
    }

    deinit {
        Self.write(Self.end)
        if var modes { _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &modes) }
    }

    /// Draws lines from the top, as many as fit.
    mutating func draw(_ lines: [DisplayText]) {
        let rows = Terminal.height() ?? lines.count
        let text = lines.prefix(rows).map { "\($0)\u{1B}[K" }.joined(separator: "\n")
        Self.write("\u{1B}[H" + text + "\u{1B}[J")
    }

    /// The reason why a wait has ended.
    enum Wake: Equatable {
        case time
        /// The user has typed `q`, or a signal has arrived.
        case quit
        /// The user has typed another key.
        case key(UInt8)
    }

    /// Waits until a time, or until a key is typed or a signal arrives.
    mutating func wait(until end: ContinuousClock.Instant) throws(Failure) -> Wake {
        do throws(Errno) {
            while ContinuousClock.now < end {
                try poll.poll(&events, until: end)
                if events.contains(where: { $0.token == Self.signals }) { return .quit }
                guard !events.isEmpty else { continue }
                let key = Self.typed()
                return key == UInt8(ascii: "q") ? .quit : .key(key)
            }
            return .time
        } catch {
            throw Failure(status: .failed, message: "cannot use the terminal: \(error)")
        }
    }

    /// Returns the key that was typed, or `q` at the end of the input.
    private static func typed() -> UInt8 {
        var key: UInt8 = 0
        return unsafe read(STDIN_FILENO, &key, 1) == 1 ? key : UInt8(ascii: "q")
    }

    private static func write(_ text: String) {
        // If the terminal is gone, the next wait ends: by SIGHUP, or at the end of the input.
        _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
    }
}
