internal import VerypollControl

/// The status page: page.html with its style, its script, and a snapshot for browsers without
/// scripts.
struct StatusPage: Sendable {
    /// The page that is embedded in the daemon.
    static let shared = StatusPage(
        template: PackageResources.page_html,
        style: PackageResources.page_css,
        script: PackageResources.page_js
    )

    /// The most rows of a table of the snapshot.
    static let rowLimit = 1000

    /// The header fields of the page and of the status.
    static let commonFields = [
        "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
    ]

    /// The header fields of the page.
    let fields: [String]
    /// The page before the title, between the title and the snapshot, and after the snapshot.
    private let parts: [String]

    init(template: [UInt8], style: [UInt8], script: [UInt8]) {
        let policy = [
            "default-src 'none'", "script-src '\(PageHashes.script)'",
            "style-src '\(PageHashes.style)'", "connect-src 'self'", "base-uri 'none'",
            "form-action 'none'", "frame-ancestors 'none'",
        ]
        fields =
            [
                "Content-Security-Policy: " + policy.joined(separator: "; "),
                "Cache-Control: no-store",
            ] + Self.commonFields
        let page = String(decoding: template, as: UTF8.self)
            .replacing(
                "{{style}}",
                with: String(decoding: style, as: UTF8.self),
                maxReplacements: 1
            )
            .replacing(
                "{{script}}",
                with: String(decoding: script, as: UTF8.self),
                maxReplacements: 1
            )
        let ends = page.split(separator: "{{snapshot}}", maxSplits: 1)
        let heads = ends[0].split(separator: "{{title}}", maxSplits: 1)
        parts = (heads + ends.dropFirst()).map(String.init)
    }

    /// Returns the page with the snapshot of a status.
    func text(of document: StatusDocument) -> [UInt8] {
        let title = document.hostName.isEmpty ? "verypolld" : "\(document.hostName) – verypolld"
        let insertions = [title.escaped, Self.snapshot(of: document), ""]
        return zip(parts, insertions).flatMap { Array($0.utf8) + Array($1.utf8) }
    }

    // MARK: The snapshot

    private static func snapshot(of document: StatusDocument) -> String {
        let status = document.status
        let listenerRows = status.listeners.map { listener in
            [
                listener.name, listener.addresses.map(\.address).joined(separator: ", "),
                listener.handler, listener.state.rawValue, listener.stateReason ?? "",
                "\(listener.active)",
            ]
        }
        let servers = status.upstreams.flatMap { upstream in
            upstream.servers.map { (upstream: upstream.name, server: $0) }
        }
        let serverRows = servers.partitioned { !$0.server.getsSessions }.map { upstream, server in
            [
                upstream, server.address, server.state.rawValue, server.mode.rawValue,
                server.stateReason ?? "", "\(server.active)",
            ]
        }
        let serviceRows = status.upstreams.flatMap { upstream in
            (upstream.services ?? []).filter { $0.failure != nil || $0.isNotOffered }.map {
                let state = $0.failure == nil ? "not offered" : "not found"
                return [upstream.name, "srv \($0.name)", state, "", $0.failure ?? "", ""]
            }
        }
        let listenerHeads = ["Listener", "Addresses", "Handler", "State", "Why", "Sessions"]
        let serverHeads = ["Upstream", "Server", "State", "Mode", "Why", "Sessions"]
        let host = document.hostName.isEmpty ? "" : " on \(document.hostName)"
        // The note also says why a reload was refused.
        let note = status.note.map { "<p>\($0.escaped)</p>" } ?? ""
        return """
            <h1>verypolld \(status.version.escaped)\(host.escaped): \(status.state.rawValue)</h1>
            \(note)
            \(table("Listeners", listenerHeads, listenerRows))
            \(table("Servers", serverHeads, serviceRows + serverRows))
            """
    }

    private static func table(_ title: String, _ heads: [String], _ rows: [[String]]) -> String {
        var text = "<h2>\(title)</h2>"
        guard !rows.isEmpty else { return text + "<p>None.</p>" }
        text += "<table><thead><tr>"
        for head in heads { text += "<th scope=\"col\">\(head)</th>" }
        text += "</tr></thead><tbody>"
        for row in rows.prefix(rowLimit) {
            text += "<tr>"
            for cell in row { text += "<td>\(cell.escaped)</td>" }
            text += "</tr>"
        }
        text += "</tbody></table>"
        if rows.count > rowLimit { text += "<p>And \(rows.count - rowLimit) more.</p>" }
        return text
    }
}

extension String {
    /// The text with the characters that have a meaning in HTML replaced.
    fileprivate var escaped: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
