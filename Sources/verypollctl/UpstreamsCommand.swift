internal import ArgumentParser
internal import Console
internal import VerypollConfiguration
internal import VerypollControl

/// The verb `verypollctl upstreams`.
struct UpstreamsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upstreams",
        abstract: "List the upstreams with their servers, or show which ones a client gets.",
        discussion: """
            SESSIONS counts the sessions on a server now; SERVED and FAILED count the sessions \
            that have connected and those that could not, since the start. TO counts the bytes \
            that the daemon has sent to the server since the start, FROM those that it has \
            received from the server. In a narrow window, WEIGHT, SERVED and FAILED are left out \
            in this order.

            With --hash, the daemon ranks the servers of the upstreams with the balance \
            sourceHash for a client: number 1 gets its sessions now, and if it goes down, number 2 \
            follows. Servers without a number get no sessions now. An address is for upstreams \
            that choose by source or by destination, a name for those that choose by server name; \
            the exit status is 4 if there is no such upstream.
            """
    )

    @Option(
        help: ArgumentHelp(
            """
            Show the servers that sourceHash chooses for this key: a client's address, a \
            destination address, or the name that a TLS client asks for.
            """,
            valueName: "key"
        )
    )
    var hash: String?

    @Option(
        help: ArgumentHelp("Only this upstream.", valueName: "name"),
        completion: .custom(Candidates.upstreams)
    )
    var upstream: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        do throws(InvalidValue) {
            if let hash { _ = try HashedKey(hash) }
        } catch {
            throw ValidationError("--hash: \(error.reason).")
        }
    }

    func run() throws {
        var daemon = try options.connect()
        if let hash { return try rank(by: HashedKey(hash), &daemon) }
        var list = try daemon.call(
            DaemonInterface.Method.listUpstreams.rawValue,
            as: UpstreamList.self
        )
        if let upstream {
            list.upstreams.removeAll { $0.name != upstream }
            if list.upstreams.isEmpty {
                let message = "no upstream is named \"\(upstream)\""
                throw Failure(status: .refused, message: message)
            }
        }
        let output = Output(options)
        try output.print(list) { list in
            let table = upstreamTable(list.upstreams, now: currentTimestamp())
            var lines = table.lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.upstreams.count, "upstream")) listed."]
                lines += table.omission(on: output.terminal)
            }
            return lines
        }
    }

    private func rank(by key: HashedKey, _ daemon: inout DaemonConnection) throws {
        let list = try daemon.call(
            DaemonInterface.Method.rankServers.rawValue,
            parameters: RankingRequest(key: key.description, upstream: upstream),
            as: RankingList.self
        )
        guard !list.rankings.isEmpty else {
            let subject = upstream.map { "the upstream \"\($0)\" does not choose" }
            let kind =
                switch key {
                case .address: "source or destination address"
                case .serverName: "server name"
                }
            throw Failure(
                status: .refused,
                message: "\(subject ?? "no upstream chooses") its servers by \(kind); see"
                    + " \"balance\" and \"hashKey\" in verypolld.json(5)"
            )
        }
        let output = Output(options)
        try output.print(list) { list in
            let table = rankingTable(list.rankings)
            var lines = table.lines(header: output.hasLegend, on: output.terminal)
            if output.hasLegend {
                lines += ["", "\(count(list.rankings.count, "upstream")) listed."]
                lines += table.omission(on: output.terminal)
            }
            return lines
        }
    }
}
