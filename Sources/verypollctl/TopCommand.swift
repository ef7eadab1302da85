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
            On a terminal, the tables are redrawn until you type q. With --batch, with --json, or \
            if standard output is not a terminal, they are printed one below the other; with \
            --json, each sample is an object on a line of its own.
            """
    )

    @Flag(help: "Print the tables one below the other, without controlling the terminal.")
    var batch = false

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("Exit after this many samples.", valueName: "number")
    )
    var number: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The time between samples.", valueName: "seconds")
    )
    var delay = 1.0

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard number.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--number requires a number of at least 1.")
        }
        guard delay > 0, delay <= 3600 else {
            throw ValidationError("--delay requires a number of seconds above 0 and up to 3600.")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        let output = Output(options)
        var former = try snapshot(&daemon)
        if batch || output.mode != .off || !output.terminal.isInteractive {
            var left = number
            var isFirst = true
            while left != 0 {
                try daemon.pause(for: .seconds(delay))
                let sample = try sample(&daemon, after: &former)
                try output.print(sample) { sample in
                    (isFirst ? [] : [""])
                        + sample.lines(header: output.hasLegend, on: output.terminal)
                }
                isFirst = false
                left = left.map { $0 - 1 }
            }
        } else {
            try showLive(&daemon, output, after: &former)
        }
    }

    private func showLive(
        _ daemon: inout DaemonConnection,
        _ output: Output,
        after former: inout TopSample.Snapshot
    ) throws(Failure) {
        var screen = try Screen()
        screen.draw(["Waiting for the first sample…"])
        var left = number
        while left != 0 {
            guard try screen.wait(for: .seconds(delay)) else { return }
            let sample = try sample(&daemon, after: &former)
            // The size of the terminal may have changed.
            screen.draw(sample.lines(header: output.hasLegend, on: .standardOutput))
            left = left.map { $0 - 1 }
        }
    }

    private func snapshot(
        _ daemon: inout DaemonConnection
    ) throws(Failure) -> TopSample.Snapshot {
        let status = try daemon.call(DaemonInterface.Method.getStatus.rawValue, as: Status.self)
        return TopSample.Snapshot(status: status, timestamp: currentTimestamp(), instant: .now)
    }

    private func sample(
        _ daemon: inout DaemonConnection,
        after former: inout TopSample.Snapshot
    ) throws(Failure) -> TopSample {
        let present = try snapshot(&daemon)
        defer { former = present }
        return TopSample(from: former, to: present)
    }
}
