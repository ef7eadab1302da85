/// The labels of a sample, in the notation of both formats: `listener="web"`.
struct MetricLabels: ExpressibleByDictionaryLiteral, Sendable {
    let text: String

    init(dictionaryLiteral pairs: (String, String)...) {
        self.init(pairs)
    }

    init(_ pairs: [(String, String)]) {
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
