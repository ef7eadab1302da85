internal import StrictJSON
internal import VerypollConfiguration

/// The defaults of listeners and upstreams, taken from a small configuration.
struct ConfigurationDefaults {
    static let shared = ConfigurationDefaults()

    /// The keys that are never at a default, although the small configuration has them.
    private static let required: Set<String> = [
        "type", "listen", "servers", "upstream", "address", "from", "perSecond",
    ]

    /// The effective configuration of one listener and one upstream without optional objects.
    private let minimal: JSONValue?
    /// The same with the optional objects and with settings that others depend on, for the defaults
    /// of the keys in these.
    private let rich: JSONValue?

    private init() {
        minimal = Self.effective(listener: "", upstream: "")
        rich = Self.effective(
            listener: #","proxyProtocol":{"from":["127.0.0.1"]},"acceptRate":{"perSecond":1}"#,
            upstream: #","check":{},"balance":"sourceHash""#
        )
    }

    private static func effective(listener: String, upstream: String) -> JSONValue? {
        let text = """
            {"listeners": {"x": {"listen": ["127.0.0.1:1"],
             "handler": {"type": "proxy", "upstream": "x"}\(listener)}},
             "upstreams": {"x": {"servers": ["127.0.0.1:2"]\(upstream)}}}
            """
        let configuration = try? Configuration(
            parsing: Array(text.utf8),
            file: "",
            descriptorLimit: 1 << 20
        )
        return configuration.map { .object($0.effective) }
    }

    /// Returns a value without the keys that are at their defaults.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - pointer: The tokens of the pointer to the value.
    /// - Returns: The value, or the rest of it.
    func strip(_ value: JSONValue, at pointer: [String]) -> JSONValue {
        // Every listener and every upstream has the same defaults.
        guard pointer.count > 1 else { return value }
        let tokens = [pointer[0], "x"] + pointer.dropFirst(2)
        func find(in root: JSONValue?) -> JSONValue? {
            tokens.reduce(root) { found, token in found?.object?[token]?.value }
        }
        return strip(value, find(in: minimal), find(in: rich))
    }

    private func strip(
        _ value: JSONValue,
        _ minimal: JSONValue?,
        _ rich: JSONValue?
    ) -> JSONValue {
        if let elements = value.array {
            return .array(elements.map { strip(element: $0, rich?.array?.first) })
        }
        guard let members = value.object?.values else { return value }
        var rest: [String: JSONValue] = [:]
        for (name, member) in members {
            let usual = minimal?.object?[name]?.value
            let common = rich?.object?[name]?.value
            if Self.required.contains(name) {
                rest[name] = strip(member, usual, common)
                continue
            }
            if member == usual { continue }
            // A setting that exists only together with another one, or in an optional object.
            let isDependent = usual == nil && (minimal == nil || member.object == nil)
            if isDependent, member == common { continue }
            let stripped = strip(member, usual, common)
            // An optional object is there even if all of its keys are at their defaults.
            if stripped.object?.members.isEmpty == true, usual != nil { continue }
            rest[name] = stripped
        }
        return .object(rest)
    }

    /// Returns an element of a list, as a text if it has nothing but an address.
    private func strip(element: JSONValue, _ example: JSONValue?) -> JSONValue {
        guard element.object != nil, let example else { return element }
        let stripped = strip(element, example, example)
        guard let members = stripped.object?.members, members.count == 1,
            let address = members.first, address.key == "address"
        else { return stripped }
        return address.value
    }
}
