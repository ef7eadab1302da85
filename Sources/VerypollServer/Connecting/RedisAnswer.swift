/// The answer of a Redis server to `PING`; see https://redis.io/docs/latest/commands/ping.
///
/// A server that demands authentication, or a permission that the check lacks, is alive. A server
/// that still loads its data, or a replica that has lost its master and must not serve old data, is
/// not.
struct RedisAnswer {
    /// The command `PING` as an array, which proxies of Redis understand as well.
    static let request = Array("*1\r\n$4\r\nPING\r\n".utf8)

    /// The longest line; that of a server is much shorter.
    private static let lineLimit = 1024
    /// The beginnings of the lines of a server that is alive.
    private static let signs = ["+PONG", "-NOAUTH ", "-NOPERM "].map { Array($0.utf8) }

    private var line: [UInt8] = []

    /// Continues with the next bytes of the answer.
    mutating func receive(_ bytes: [UInt8]) -> CheckExchange.Step {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                let isAlive = Self.signs.contains { line.starts(with: $0) }
                return isAlive ? .success : .unexpected
            }
            line.append(byte)
            let isReply = [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(line[0])
            guard isReply, line.count < Self.lineLimit else { return .unexpected }
        }
        return .wait
    }
}
