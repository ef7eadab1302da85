internal import StrictJSON

private let positive = ValueForm.span(.milliseconds(1) ... .longest)

extension UpstreamConfiguration {
    package static let keys = KeyTable([
        Key(required: "servers", .list(of: .textOr(Server.keys), isEmptyAllowed: false)),
        Key("balance", .choice(of: Balance.self), default: "roundRobin"),
        Key("hashKey", .choice(of: HashKey.self), default: "source"),
        Key("connectTimeout", positive, default: "5s"),
        Key("retry", .object(Retry.keys)),
        Key("maxSessions", .integer(0...Configuration.Limits.largest), default: 0),
        Key("check", .object(HealthCheck.keys)),
        Key("passive", .object(PassiveCheck.keys)),
        Key("whenDown", .choice(of: WhenDown.self), default: "keep"),
        Key("proxyProtocol", .choice(of: ProxyHeader.self), default: "off"),
        Key("resolve", .object(Resolve.keys)),
        Key("slowStart", .spanOrOff(.milliseconds(1) ... .longest), default: "off"),
    ])

    package init(_ upstream: ObjectReader.NamedObject) {
        let object = upstream.object
        let limit = object.integer("maxSessions")
        name = upstream.name
        position = Uncompared(upstream.position)
        let elements = Self.servers(object)
        servers = elements.servers
        services = elements.services
        balance = object.word("balance")
        hashKey = Self.hashKey(object, balance)
        connectTimeout = object.span("connectTimeout")
        retry = Retry(object.object("retry"))
        maxSessions = limit == 0 ? nil : limit
        let checkObject = object.optionalObject("check")
        check = checkObject.map(HealthCheck.init)
        if let checkObject { check?.checkPort(of: servers, checkObject) }
        passive = PassiveCheck(object.object("passive"))
        whenDown = object.word("whenDown")
        proxyProtocol = object.word("proxyProtocol")
        resolve = Resolve(object.object("resolve"))
        slowStart = object.optionalSpan("slowStart")
    }

    private static func hashKey(_ object: ObjectReader, _ balance: Balance) -> HashKey {
        let key: HashKey = object.word("hashKey")
        guard object.has("hashKey"), balance != .sourceHash else { return key }
        object.problems.report(
            object.pointer / "hashKey",
            "has no effect with the balance \"\(balance.rawValue)\"; write \"balance\":"
                + " \"sourceHash\", or remove the key"
        )
        return .source
    }

    /// Reads the servers and services, and reports duplicates.
    private static func servers(
        _ object: ObjectReader
    ) -> (servers: [Server], services: [Service]) {
        var owners: [UpstreamAddress: JSONPointer] = [:]
        var servers: [Server] = []
        var services: [Service] = []
        for (index, element) in (object.elements("servers") ?? []).enumerated() {
            let pointer = object.pointer / "servers" / index
            if element["srv"] != nil {
                let service = Service(element, place: index, at: pointer, object.problems)
                guard let service else { continue }
                if services.contains(where: { $0.name == service.name }) {
                    let message = "duplicate service; remove one"
                    object.problems.report(pointer, message)
                }
                services.append(service)
                continue
            }
            guard let server = Server(element, at: pointer, problems: object.problems) else {
                continue
            }
            if let owner = owners[server.address] {
                object.problems.report(
                    pointer,
                    "duplicate server; first listed at \(owner); remove one (set a weight to"
                        + " give a server more sessions)"
                )
            } else {
                owners[server.address] = pointer
            }
            servers.append(server)
        }
        return (servers, services)
    }
}

extension UpstreamConfiguration.Server {
    package static let keys = KeyTable([
        Key("address", .text),
        Key("srv", .text),
        Key("weight", .integer(1...1000), default: 1),
        Key("backup", .boolean, default: false),
        Key("maxSessions", .integer(0...Configuration.Limits.largest), default: 0),
        Key("state", .choice(of: State.self), default: "up"),
    ])

    /// Reads a server, or returns `nil` if it has no valid address.
    init?(_ value: JSONValue, at pointer: JSONPointer, problems: ProblemList) {
        if case .string(let text) = value.content {
            do throws(InvalidValue) {
                self.init(address: try UpstreamAddress(text), weight: 1, backup: false)
                return
            } catch {
                problems.report(pointer, error.reason)
                return nil
            }
        }
        guard case .object = value.content else {
            problems.report(
                pointer,
                "must be a string, or an object with the key \"address\" or \"srv\", not"
                    + " \(value.content)"
            )
            return nil
        }
        let object = ObjectReader(value, Self.keys, at: pointer, problems: problems)
        if !object.has("address") {
            problems.report(
                pointer,
                "the key \"address\" is missing; add it (or \"srv\" for servers that DNS names)"
            )
        }
        let address = object.text("address", as: UpstreamAddress.init)
        let weight = object.integer("weight")
        let backup = object.boolean("backup")
        let limit = object.integer("maxSessions")
        let state: State = object.word("state")
        guard let address else { return nil }
        self.init(
            address: address,
            weight: weight,
            backup: backup,
            maxSessions: limit == 0 ? nil : limit,
            state: state
        )
    }
}

extension UpstreamConfiguration.Retry {
    package static let keys = KeyTable([
        Key("for", .span(.zero ... .longest), default: "0s")
    ])

    init(_ object: ObjectReader) {
        duration = object.span("for")
    }
}

extension UpstreamConfiguration.PassiveCheck {
    package static let keys = KeyTable([
        Key("fall", .integer(1...1000), default: 5),
        Key("for", positive, default: "10s"),
    ])

    package init(_ object: ObjectReader) {
        fall = object.integer("fall")
        duration = object.span("for")
    }
}

extension UpstreamConfiguration.Resolve {
    package static let keys = KeyTable([
        Key("every", positive, default: "30s"),
        Key("atLeast", positive, default: "1s"),
        Key("atMost", positive, default: "5min"),
    ])

    init(_ object: ObjectReader) {
        interval = object.span("every")
        atLeast = object.span("atLeast")
        atMost = object.span("atMost")
        guard atMost < atLeast else { return }
        object.problems.report(
            object.pointer / (object.has("atMost") ? "atMost" : "atLeast"),
            "atMost (\(atMost.timeSpan)) must not be less than atLeast (\(atLeast.timeSpan));"
                + " raise atMost, or lower atLeast"
        )
    }
}
