/// A party of a session that can end it.
package enum SessionParty: UInt8, Sendable {
    case client = 1
    case server = 2
    case daemon = 3

    /// The value of the journal field `VERYPOLL_CLOSED_BY`.
    package var name: String {
        switch self {
        case .client: "client"
        case .server: "server"
        case .daemon: "daemon"
        }
    }
}
