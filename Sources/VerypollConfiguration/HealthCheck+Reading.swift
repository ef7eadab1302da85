internal import Console
internal import StrictJSON

private let positive = ValueForm.span(.milliseconds(1) ... .longest)

extension UpstreamConfiguration.HealthCheck {
    package static let keys = KeyTable([
        Key("interval", positive, default: "5s"),
        Key("timeout", positive, default: "2s"),
        Key("rise", .integer(1...1000), default: 2),
        Key("fall", .integer(1...1000), default: 3),
        Key("type", .choice(of: ReadyMade.self)),
        Key("port", .integer(1...65_535)),
        Key("send", .text, default: ""),
        Key("expect", .text, default: ""),
        Key("http", .object(HTTP.keys)),
        Key("postgresql", .object(PostgreSQL.keys)),
    ])

    package init(_ object: ObjectReader) {
        interval = object.span("interval")
        timeout = object.span("timeout")
        rise = object.integer("rise")
        fall = object.integer("fall")
        port = object.optionalInteger("port").map { UInt16($0) }
        send = object.text("send", as: CheckBytes.init(_:)) ?? ""
        expect = object.text("expect", as: CheckBytes.init(_:)) ?? ""
        let named: ReadyMade? = object.optionalWord("type")
        let implied = [ReadyMade.http, .postgresql].first { object.has($0.rawValue) }
        let type = named ?? implied
        service =
            switch type {
            case .http: .http(HTTP(object.object("http")))
            case .postgresql: .postgresql(PostgreSQL(object.object("postgresql")))
            case .redis: .redis
            case .connect, nil: nil
            }
        guard let type else { return }
        for (key, isSet) in [("send", !send.bytes.isEmpty), ("expect", !expect.bytes.isEmpty)]
        where isSet {
            object.problems.report(
                object.pointer / key,
                "a check of type \(type.rawValue.quoted) has an exchange of its own; remove this"
                    + " key, or the type"
            )
        }
        for other in [ReadyMade.http, .postgresql] where other != type {
            guard object.has(other.rawValue) else { continue }
            object.problems.report(
                object.pointer / other.rawValue,
                "is for checks of type \(other.rawValue.quoted), not \(type.rawValue.quoted);"
                    + " remove it, or change the type"
            )
        }
    }

    /// Reports a port that some of the servers cannot have.
    func checkPort(of servers: [UpstreamConfiguration.Server], _ object: ObjectReader) {
        guard port != nil else { return }
        for server in servers {
            guard case .unix = server.address else { continue }
            object.problems.report(
                object.pointer / "port",
                "\(server.address) is a Unix-domain socket, which has no port; remove this key, or"
                    + " move the server to another upstream"
            )
            return
        }
    }
}

extension UpstreamConfiguration.HealthCheck.HTTP {
    package static let keys = KeyTable([
        Key("path", .text, default: "/"),
        Key("host", .text),
        Key("method", .choice(of: Method.self), default: "GET"),
        Key("status", .text, default: "200-399"),
    ])

    init(_ object: ObjectReader) {
        path = object.text("path", as: Self.path) ?? "/"
        host = object.text("host", as: Self.host)
        method = object.word("method")
        status = object.text("status", as: StatusCodes.init) ?? .success
        if path == "*", method != .options {
            object.problems.report(
                object.pointer / "path",
                "only the method OPTIONS has the path \"*\"; write a path that begins with \"/\""
            )
        }
    }

    private static func path(_ text: String) throws(InvalidValue) -> String {
        let isValid = text.hasPrefix("/") || text == "*"
        guard isValid, text.isGraphicASCII, text.utf8.count <= 4096 else {
            throw InvalidValue(
                "\(text.quoted) is not a valid path; begin with \"/\", and write spaces and"
                    + " non-ASCII characters as in \"/a%20b\""
            )
        }
        return text
    }

    private static func host(_ text: String) throws(InvalidValue) -> String {
        guard text.isGraphicASCII, (1...255).contains(text.utf8.count), !text.contains("/") else {
            throw InvalidValue(
                "\(text.quoted) is not a valid host; write a name such as \"app.example\" or"
                    + " \"app.example:8080\""
            )
        }
        return text
    }
}

extension UpstreamConfiguration.HealthCheck.PostgreSQL {
    package static let keys = KeyTable([
        Key("user", .text, default: "postgres"),
        Key("database", .text),
    ])

    init(_ object: ObjectReader) {
        user = object.text("user", as: Self.name) ?? "postgres"
        database = object.text("database", as: Self.name)
    }

    private static func name(_ text: String) throws(InvalidValue) -> String {
        guard (1...63).contains(text.utf8.count), !text.utf8.contains(0) else {
            throw InvalidValue("\(text.quoted) is not a valid name; write 1 to 63 bytes")
        }
        return text
    }
}

extension String {
    /// Whether the text has only visible ASCII characters, without spaces.
    fileprivate var isGraphicASCII: Bool { utf8.allSatisfy { (0x21...0x7E).contains($0) } }
}
