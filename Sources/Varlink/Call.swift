internal import FoundationEssentials
internal import StrictJSON

/// A method call, as a client sent it.
package struct Call: Sendable {
    /// How the caller wants the answer.
    package enum Mode: String, Hashable, Sendable {
        /// One reply.
        case single
        /// None, not even an error.
        case oneway
        /// As many replies as there is to tell.
        case more
        /// One reply, after which the connection carries another protocol.
        case upgrade
    }

    /// The interface and the method, as in `org.varlink.service.GetInfo`.
    package let method: String

    /// How the caller wants the answer.
    package let mode: Mode

    // The decoder has this limit of depth as well, and the framing has bounded the bytes.
    private static let limits = JSONLimits(byteCount: .max, depth: 512)

    private let message: [UInt8]
    /// The parameters, where they were decoded ahead.
    private var prepared: Result<any CallParameters, VarlinkError>?

    /// Makes a call of a message, which comes without its NUL byte.
    ///
    /// - Throws: If it is no JSON object, has no `method`, has a member that calls don't have,
    ///   a flag that is no boolean, or two flags.
    package init(decoding message: [UInt8]) throws(MalformedMessage) {
        do {
            // The decoder looks closely only at what it is asked for, and lets numbers such as `01`
            // and commas before a closing bracket pass.
            try JSONDocument.check(message, limits: Self.limits)
            let header = try JSONDecoder().decode(Header.self, from: Data(message))
            method = header.method
            mode = header.mode
            self.message = message
        } catch {
            throw MalformedMessage()
        }
    }

    /// The method's name without its interface.
    package var name: Substring {
        method[(method.lastIndex(of: ".").map(method.index(after:)) ?? method.startIndex)...]
    }

    /// The interface, or nothing if the method is not qualified.
    package var interface: Substring {
        method[..<(method.lastIndex(of: ".") ?? method.startIndex)]
    }

    /// Decodes the parameters; absent ones, `null` and `{}` are the same.
    ///
    /// - Throws: ``VarlinkError/invalidParameter(_:)`` naming the first that is missing, unknown
    ///   or ill-typed.
    package func parameters<Parameters: CallParameters>(
        as type: Parameters.Type = Parameters.self
    ) throws(VarlinkError) -> Parameters {
        if let prepared, let parameters = try prepared.get() as? Parameters { return parameters }
        do {
            let decoder = JSONDecoder()
            let envelope = try decoder.decode(Envelope<Parameters>.self, from: Data(message))
            return try envelope.parameters ?? decoder.decode(type, from: Data("{}".utf8))
        } catch let error as VarlinkError {
            throw error
        } catch {
            throw .invalidParameter(culprit(of: error))
        }
    }

    /// The call with its parameters decoded, so that ``parameters(as:)`` takes no time.
    func prepared<Parameters: CallParameters>(as type: Parameters.Type) -> Call {
        var call = self
        do throws(VarlinkError) {
            call.prepared = .success(try parameters(as: type))
        } catch {
            call.prepared = .failure(error)
        }
        return call
    }

    /// The name of the parameter that a decoder stumbled over.
    private func culprit(of error: any Error) -> String {
        var path: [any CodingKey] = []
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            path = context.codingPath + [key]
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            path = context.codingPath
        default:
            break
        }
        let names = path.map(\.stringValue)
        if let name = names.first(where: { $0 != Header.parametersKey }) { return name }
        // The decoder forgets where it was when a number is no integer, or one too large.
        let fractions = try? JSONDecoder().decode(Fractions.self, from: Data(message))
        return fractions?.names.first ?? Header.parametersKey
    }
}

/// The parameters of one method.
///
/// A conforming type names its coding keys, so that parameters which the method does not have are
/// refused rather than ignored.
package protocol CallParameters: Decodable, Sendable {
    /// The names of the parameters.
    associatedtype CodingKeys: CodingKey & CaseIterable
}

/// The parameters of a method that takes none, and of a reply that tells nothing.
package struct NoParameters: CallParameters, Codable, Hashable {
    /// There are none.
    package enum CodingKeys: CodingKey, CaseIterable {}

    /// Makes the one value.
    package init() {}

    package init(from decoder: any Decoder) throws {}
}

/// Any member of a JSON object.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

/// What a call says apart from its parameters.
private struct Header: Decodable {
    static let parametersKey = "parameters"

    let method: String
    let mode: Call.Mode

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        method = try container.decode(String.self, forKey: AnyKey(stringValue: "method"))
        var modes: [Call.Mode] = []
        for key in container.allKeys {
            switch key.stringValue {
            case "method":
                break
            case Self.parametersKey:
                guard try !container.decodeNil(forKey: key) else { break }
                _ = try container.nestedContainer(keyedBy: AnyKey.self, forKey: key)
            case "oneway", "more", "upgrade":
                guard try container.decode(Bool.self, forKey: key) else { break }
                modes += [Call.Mode(rawValue: key.stringValue)].compactMap(\.self)
            case let name:
                // Members of vendors have a dotted name; any other is a mistake.
                guard name.contains(".") else { throw MalformedMessage() }
            }
        }
        guard modes.count <= 1 else { throw MalformedMessage() }
        mode = modes.first ?? .single
    }
}

/// The parameters that are numbers but cannot be integers.
private struct Fractions: Decodable {
    let names: [String]

    init(from decoder: any Decoder) throws {
        let parameters = try decoder.container(keyedBy: AnyKey.self).nestedContainer(
            keyedBy: AnyKey.self,
            forKey: AnyKey(stringValue: Header.parametersKey)
        )
        names = parameters.allKeys.filter { key in
            (try? parameters.decode(Int.self, forKey: key)) == nil
                && (try? parameters.decode(Double.self, forKey: key)) != nil
        }
        .map(\.stringValue).sorted()
    }
}

private struct Envelope<Parameters: CallParameters>: Decodable {
    let parameters: Parameters?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        let key = AnyKey(stringValue: Header.parametersKey)
        guard container.contains(key), try !container.decodeNil(forKey: key) else {
            parameters = nil
            return
        }
        let known = Set(Parameters.CodingKeys.allCases.map(\.stringValue))
        let given = try container.nestedContainer(keyedBy: AnyKey.self, forKey: key).allKeys
        // The least of them, as their order in the message is lost.
        if let unknown = given.map(\.stringValue).filter({ !known.contains($0) }).min() {
            throw VarlinkError.invalidParameter(unknown)
        }
        parameters = try container.decode(Parameters.self, forKey: key)
    }
}
