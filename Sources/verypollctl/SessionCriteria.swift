internal import ArgumentParser
internal import VerypollConfiguration
internal import VerypollControl

/// The options that select sessions; a session must meet all of them.
struct SessionCriteria: ParsableArguments {
    @Option(
        help: ArgumentHelp("Only sessions of this listener.", valueName: "name"),
        completion: .custom(Candidates.listeners)
    )
    var listener: String?

    @Option(
        help: ArgumentHelp("Only sessions that are proxied to this upstream.", valueName: "name"),
        completion: .custom(Candidates.upstreams)
    )
    var upstream: String?

    @Option(
        help: ArgumentHelp(
            "Only sessions on the server with this address, as in the configuration.",
            valueName: "address"
        ),
        completion: .custom(Candidates.servers)
    )
    var server: String?

    @Option(
        help: ArgumentHelp(
            """
            Only sessions of this client: an address with or without a port, or a network such as \
            10.0.0.0/8.
            """,
            valueName: "address"
        )
    )
    var peer: String?

    @Option(
        help: ArgumentHelp(
            """
            Only sessions of TLS clients that asked for this name, such as *.example.com; "" \
            stands for clients that sent none.
            """,
            valueName: "name"
        )
    )
    var serverName: String?

    mutating func validate() throws {
        do throws(InvalidValue) {
            if let peer { _ = try PeerPattern(peer) }
        } catch {
            throw ValidationError("--peer: \(error.reason).")
        }
        do throws(InvalidValue) {
            if let serverName { _ = try ServerNamePattern(serverName) }
        } catch {
            throw ValidationError("--server-name: \(error.reason).")
        }
    }

    /// The query with these criteria.
    func query(limit: Int? = nil) -> SessionQuery {
        SessionQuery(
            listener: listener,
            upstream: upstream,
            peer: peer,
            limit: limit,
            server: server,
            serverName: serverName
        )
    }
}
