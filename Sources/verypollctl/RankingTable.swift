internal import VerypollControl

/// Returns a table with the servers of each upstream in the order in which a client gets them.
func rankingTable(_ rankings: [Status.Ranking]) -> Table {
    var table = Table(
        ("UPSTREAM", .left),
        ("CHOSEN BY", .left),
        ("NUMBER", .right),
        ("SERVER", .left),
        ("STATE", .left),
        ("WEIGHT", .right),
        dropping: ["CHOSEN BY", "WEIGHT"],
        folding: ["SERVER"]
    )
    for ranking in rankings {
        for (index, server) in ranking.servers.enumerated() {
            let state = stateWords(server.state.rawValue, mode: server.mode.rawValue)
            table.append(
                Table.Cell(index == 0 ? ranking.upstream : "", .bold),
                Table.Cell(index == 0 ? ranking.hashKey : ""),
                server.usable ? "\(index + 1)" : "-",
                Table.Cell(server.backup ? "\(server.address) (backup)" : server.address),
                Table.Cell(
                    server.full ? "\(state), full" : state,
                    server.usable ? (index == 0 ? .green : .plain) : .yellow
                ),
                Table.Cell(formatWeight(server.weight))
            )
        }
    }
    return table
}

/// Returns a weight with at most two digits after the point, such as `2` or `0.55`.
private func formatWeight(_ weight: Double) -> String {
    let hundredths = Int((weight * 100).rounded())
    guard hundredths % 100 != 0 else { return "\(hundredths / 100)" }
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
