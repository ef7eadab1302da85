/// The labels of a sample.
struct MetricLabels: ExpressibleByDictionaryLiteral, Sendable {
    let pairs: [(name: String, value: String)]
    /// The labels in the notation of both formats of Prometheus: `listener="web"`.
    let text: String

    init(dictionaryLiteral pairs: (String, String)...) {
        self.init(pairs)
    }

    init(_ pairs: [(String, String)]) {
        self.pairs = pairs.map { (name: $0, value: $1) }
        text = pairs.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
