internal import ArgumentParser
internal import Console
internal import SystemPackage
internal import Verypoll
internal import VerypollControl

/// The verb `verypollctl top`.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show live rates of listeners, servers and workers.",
        discussion: """
            On a terminal, the tables are redrawn until you type q. The keys n, s, w, i and o sort \
            by name, sessions, new sessions, bytes in and bytes out. With --batch, with --json, or \
            if standard output is not a terminal, the tables are printed one below the other; with \
            --json, each sample is an object on a line of its own. If the daemon restarts, the \
            verb connects again and continues.

            Rates are those of the last interval. IN/S counts the bytes received from clients, \
            OUT/S those sent to clients. TO/S counts the bytes sent to the server, FROM/S those \
            received from it. NEW/S counts new sessions. Sorting by in uses IN/S and TO/S, sorting \
            by out uses OUT/S and FROM/S. In a narrow window, NEW/S is left out.
            """
    )

    @Flag(help: "Print the tables one below the other, without controlling the terminal.")
    var batch = false

    @Option(
        name: [.customShort("n"), .long, .customLong("count")],
        help: ArgumentHelp("Exit after this many samples.", valueName: "count")
    )
    var number: Int?

    @Option(
        name: [.customShort("d"), .long, .customLong("interval")],
        help: ArgumentHelp("The time between samples.", valueName: "seconds")
    )
    var delay = 1.0

    @Option(
        help: ArgumentHelp(
            "Sort listeners and servers by name, sessions, new, in or out.",
            valueName: "key"
        )
    )
    var sort = TopOrder.name

    @OptionGroup var options: GlobalOptions

    /// The time between attempts to connect again, in seconds.
    private var retryDelay: Double { min(delay, 1) }

    func validate() throws {
        guard number.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--number requires a number of at least 1.")
        }
        guard delay > 0, delay <= 3600 else {
            throw ValidationError("--delay requires a number of seconds above 0 and up to 3600.")
        }
    }

    func run() throws {
        let output = Output(options)
        // Without a daemon at the start, the verb fails like every other.
        var source = TopSource(options)
        try source.begin()
        if batch || output.mode != .off || !output.terminal.isInteractive {
            try printSamples(&source, output)
        } else if let last = try showLive(&source, output) {
            // The screen is restored, so the last sample would be lost.
            try output.print(last) { $0.lines(header: output.hasLegend, on: output.terminal) }
        }
    }

    private func printSamples(_ source: inout TopSource, _ output: Output) throws(Failure) {
        var left = number
        var isFirst = true
        var isReachable = true
        while left != 0 {
            try source.pause(for: .seconds(isReachable ? delay : retryDelay))
            switch try source.next() {
            case .unreachable(let reason):
                if isReachable {
                    writeError("verypolld is not reachable, retrying: \(reason)")
                }
                isReachable = false
            case .connected: isReachable = true
            case .sample(let sample):
                try output.print(sample.sorted(by: sort)) { sample in
                    (isFirst ? [] : [""])
                        + sample.lines(header: output.hasLegend, on: output.terminal)
                }
                isFirst = false
                left = left.map { $0 - 1 }
            }
        }
    }

    /// Redraws the screen until the user quits, or until the number of samples is reached.
    ///
    /// - Returns: The last sample; `nil` if the user quits.
    private func showLive(
        _ source: inout TopSource,
        _ output: Output
    ) throws(Failure) -> TopSample? {
        var screen = try Screen()
        screen.draw(["Waiting for the first sample…"])
        var order = sort
        // In its original order, to which the key n returns.
        var last: TopSample?
        var left = number
        var due = ContinuousClock.now + .seconds(delay)
        while left != 0 {
            switch try screen.wait(until: due) {
            case .quit: return nil
            case .key(let key):
                guard let chosen = TopOrder.allCases.first(where: { $0.key == key }) else {
                    continue
                }
                order = chosen
            case .time:
                due = .now + .seconds(delay)
                switch try source.next() {
                case .unreachable(let reason):
                    last = nil
                    due = .now + .seconds(retryDelay)
                    // Each on a line of its own, because the screen does not wrap lines.
                    screen.draw(["verypolld is not reachable, retrying", DisplayText(reason)])
                case .connected: screen.draw(["Waiting for the first sample…"])
                case .sample(let sample):
                    last = sample
                    left = left.map { $0 - 1 }
                }
            }
            if let last { screen.draw(screenLines(of: last.sorted(by: order), order, output)) }
        }
        return last?.sorted(by: order)
    }

    private func screenLines(
        of sample: TopSample,
        _ order: TopOrder,
        _ output: Output
    ) -> [DisplayText] {
        // The size of the terminal may have changed.
        var lines = sample.lines(header: output.hasLegend, on: options.terminal)
        if output.hasLegend {
            let keys = "n name, s sessions, w new, i in, o out, q quit"
            let hint = "sorted by \(order.rawValue); keys: \(keys)"
            lines.insert(DisplayText(hint), at: min(2, lines.count))
        }
        return lines
    }
}

extension TopOrder: ExpressibleByArgument {}

/// The source of samples, which connects to the daemon again after a restart.
struct TopSource: ~Copyable {
    /// The result of an interval.
    enum Result {
        case sample(TopSample)
        /// The daemon is reached again; the next interval has a sample.
        case connected
        case unreachable(String)
    }

    private let options: GlobalOptions
    private var daemon: DaemonConnection?
    private var former: TopSample.Snapshot?

    init(_ options: GlobalOptions) {
        self.options = options
    }

    /// Connects, and remembers the counters of this moment.
    mutating func begin() throws(Failure) {
        daemon = try options.connect()
        former = try snapshot()
    }

    /// Waits for some time.
    func pause(for time: Duration) throws(Failure) {
        do throws(Errno) {
            var poll = try Poll()
            var events = Events(capacity: 1)
            let end = ContinuousClock.now + time
            while ContinuousClock.now < end { try poll.poll(&events, until: end) }
        } catch {
            throw Failure(status: .failed, message: "cannot wait: \(error)")
        }
    }

    /// Returns what has happened since the last call.
    mutating func next() throws(Failure) -> Result {
        do throws(Failure) {
            if daemon == nil { daemon = try options.connect() }
            guard let present = try snapshot() else { return .connected }
            defer { former = present }
            // The counters of another process began at zero.
            guard let former,
                former.status.startTimestampUSec == present.status.startTimestampUSec
            else { return .connected }
            return .sample(TopSample(from: former, to: present))
        } catch {
            guard error.status == .unreachable else { throw error }
            daemon = nil
            former = nil
            return .unreachable(error.message)
        }
    }

    private mutating func snapshot() throws(Failure) -> TopSample.Snapshot? {
        let status = try daemon?.call(DaemonInterface.Method.getStatus.rawValue, as: Status.self)
        return status.map { status in
            TopSample.Snapshot(status: status, timestamp: currentTimestamp(), instant: .now)
        }
    }
}
