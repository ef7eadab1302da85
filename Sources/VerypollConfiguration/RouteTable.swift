/// Finds the route of a client by the name that it asks for and the protocols that it offers.
///
/// The best match wins: an exact name, then the longest wildcard, then a route without names. Among
/// equals, a route with a protocol comes before one without, and the client's order decides between
/// protocols. Finding a route neither allocates nor counts references.
package struct RouteTable: Sendable {
    /// A route that matches the client, and why.
    package struct Match: Equatable, Sendable {
        /// The index of the route.
        package let route: Int
        package let reason: Reason
        /// Whether the route asks for a protocol that the client offers.
        package let isByProtocol: Bool
    }

    /// How a route matches the client's name.
    package enum Reason: Sendable {
        case exactName
        case wildcard
        case anyName
    }

    /// A name or the end of one, and the routes that match it.
    private struct Entry {
        /// The range of the name in ``text``.
        var name: Range<Int>
        /// The range of its routes in ``choices``.
        var choices: Range<Int>
    }

    /// A route, and the protocol that it asks for.
    private struct Choice {
        /// The range of the protocol in ``text``; empty if the route asks for none.
        var name: Range<Int>
        var route: Int
    }

    private var text: [UInt8] = []
    private var choices: [Choice] = []
    /// The exact names and the ends of wildcards, each in the order of their bytes.
    private var exact: [Entry] = []
    private var wildcards: [Entry] = []
    /// The routes for any name.
    private var any = Entry(name: 0..<0, choices: 0..<0)

    /// Makes the table of a listener's routes.
    package init(_ routes: [Route]) {
        var exactNames: [String: [(String?, Int)]] = [:]
        var ends: [String: [(String?, Int)]] = [:]
        var nameless: [(String?, Int)] = []
        for (index, route) in routes.enumerated() {
            let taken = route.alpn.map { $0.map { ($0 as String?, index) } } ?? [(nil, index)]
            guard let names = route.serverNames else {
                nameless += taken
                continue
            }
            for name in names {
                if name.isWildcard {
                    ends[name.name, default: []] += taken
                } else {
                    exactNames[name.name, default: []] += taken
                }
            }
        }
        exact = sorted(exactNames)
        wildcards = sorted(ends)
        any = entry("", nameless)
    }

    private mutating func sorted(_ names: [String: [(String?, Int)]]) -> [Entry] {
        names.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { entry($0.key, $0.value) }
    }

    private mutating func entry(_ name: String, _ routes: [(String?, Int)]) -> Entry {
        let range = append(name)
        let start = choices.count
        for (protocolName, route) in routes {
            choices.append(Choice(name: append(protocolName ?? ""), route: route))
        }
        return Entry(name: range, choices: start..<choices.count)
    }

    private mutating func append(_ string: String) -> Range<Int> {
        let start = text.count
        text += string.utf8
        return start..<text.count
    }

    // MARK: Finding

    /// Finds the best route for a client.
    ///
    /// - Parameters:
    ///   - name: The name, as ``ServerName/normalize(_:)`` leaves it; empty if there is none.
    ///   - protocols: The protocols in the client's order, each after a byte with its length.
    /// - Returns: The route, or `nil` if none matches.
    package func match(name: Span<UInt8>, protocols: Span<UInt8>) -> Match? {
        if let entry = find(name, in: exact),
            let match = choose(from: entry, protocols, .exactName)
        {
            return match
        }
        for index in name.indices where name[index] == UInt8(ascii: ".") {
            let end = name.extracting((index + 1)...)
            if let entry = find(end, in: wildcards),
                let match = choose(from: entry, protocols, .wildcard)
            {
                return match
            }
        }
        return choose(from: any, protocols, .anyName)
    }

    private func find(_ name: Span<UInt8>, in entries: [Entry]) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            let order = compare(name, entries[middle].name)
            if order == 0 { return entries[middle] }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    /// Returns a number whose sign is the order of a name and a part of the text.
    private func compare(_ name: Span<UInt8>, _ range: Range<Int>) -> Int {
        for index in 0..<min(name.count, range.count) {
            let difference = Int(name[index]) - Int(text[range.lowerBound + index])
            if difference != 0 { return difference }
        }
        return name.count - range.count
    }

    private func choose(from entry: Entry, _ protocols: Span<UInt8>, _ reason: Reason) -> Match? {
        guard !entry.choices.isEmpty else { return nil }
        var index = 0
        while index < protocols.count {
            let end = min(protocols.count, index + 1 + Int(protocols[index]))
            let name = protocols.extracting((index + 1)..<end)
            for choice in entry.choices where !choices[choice].name.isEmpty {
                if compare(name, choices[choice].name) == 0 {
                    return Match(route: choices[choice].route, reason: reason, isByProtocol: true)
                }
            }
            index = end
        }
        for choice in entry.choices where choices[choice].name.isEmpty {
            return Match(route: choices[choice].route, reason: reason, isByProtocol: false)
        }
        return nil
    }
}
