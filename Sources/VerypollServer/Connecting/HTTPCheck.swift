internal import Verypoll
internal import VerypollConfiguration

/// The answer to a check over HTTP/1: its status decides.
///
/// Interim responses are skipped. The answer may be of any version 1.x. Nothing after the final
/// status line matters.
struct HTTPAnswer {
    private enum Part {
        /// The beginning of a status line, at most ``lineLimit`` bytes.
        case statusLine([UInt8])
        /// The header of an interim response; the length of its current line.
        case header(lineLength: Int)
    }

    /// The bytes of a status line that are kept: the version, the code and a byte after it.
    private static let lineLimit = 13
    private static let version = Array("HTTP/1.".utf8)

    private let expected: StatusCodes
    private var part = Part.statusLine([])

    init(expecting codes: StatusCodes) {
        expected = codes
    }

    /// Continues with the next bytes of the answer.
    mutating func receive(_ bytes: [UInt8]) -> CheckExchange.Step {
        for byte in bytes {
            let step = receive(byte)
            guard step == .wait else { return step }
        }
        return .wait
    }

    private mutating func receive(_ byte: UInt8) -> CheckExchange.Step {
        switch part {
        case .header(let length):
            if byte == UInt8(ascii: "\n") {
                part = length == 0 ? .statusLine([]) : .header(lineLength: 0)
            } else if byte != UInt8(ascii: "\r") {
                part = .header(lineLength: length + 1)
            }
            return .wait
        case .statusLine(var line):
            if byte == UInt8(ascii: "\n") { return judge(line) }
            guard line.count < Self.lineLimit else { return .wait }
            line.append(byte)
            part = .statusLine(line)
            let isHTTP = line.starts(with: Self.version.prefix(line.count))
            return isHTTP ? .wait : .unexpected
        }
    }

    /// Decides by a status line, such as `HTTP/1.1 200 OK`.
    private mutating func judge(_ line: [UInt8]) -> CheckExchange.Step {
        let space = UInt8(ascii: " ")
        let isLineEnd = line.count < Self.lineLimit || [space, 13].contains(line[12])
        guard line.count >= 12, isLineEnd, line[8] == space,
            let code = Int(String(decoding: line[9..<12], as: UTF8.self)), code >= 100
        else { return .unexpected }
        // 101 is final: the server has switched to another protocol.
        if code < 200, code != 101 {
            part = .header(lineLength: 0)
            return .wait
        }
        return expected.contains(code) ? .success : .failure("it answered with status \(code)")
    }
}

extension UpstreamConfiguration.HealthCheck.HTTP {
    /// Makes the request of a check, which asks the server to close the connection.
    ///
    /// - Parameters:
    ///   - server: The server, whose name is the default of the header `Host`.
    ///   - port: The port to which the check connects; `nil` for that of the server.
    ///   - version: The version of the daemon.
    /// - Returns: The bytes of the request.
    func request(to server: UpstreamAddress, port: UInt16?, version: String) -> [UInt8] {
        let lines = [
            "\(method.rawValue) \(path) HTTP/1.1",
            "Host: \(host ?? server.httpHost(port: port))",
            "User-Agent: verypolld/\(version)",
            "Accept: */*",
            "Connection: close",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

extension UpstreamAddress {
    /// Returns the value of the header `Host`: the host, and the port unless it is 80.
    ///
    /// A Unix-domain or vsock socket has no host, so it is `localhost`.
    fileprivate func httpHost(port: UInt16?) -> String {
        let (name, own): (String, UInt16) =
            switch self {
            case .ip(let address):
                (address.ip.family == .v6 ? "[\(address.ip)]" : "\(address.ip)", address.port)
            case .host(let name, let port): (name, port)
            case .unix, .vsock: ("localhost", 80)
            }
        let port = port ?? own
        return port == 80 ? name : "\(name):\(port)"
    }
}
