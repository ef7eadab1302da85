internal import FoundationEssentials
internal import StrictJSON

/// A method call received from a client.
package struct Call: Sendable {
    /// The kind of reply that the caller expects.
    package enum Mode: String, Hashable, Sendable {
        /// One reply.
        case single
        /// No reply, not even an error.
        case oneway
        /// Any number of replies.
        case more
        /// One reply, after which the connection uses another protocol.
        case upgrade
    }

    /// The fully qualified method, such as `org.varlink.service.GetInfo`.
    package let method: String

    /// The kind of reply that the caller expects.
    package let mode: Mode

    // The depth is also the decoder's limit. The framing limits the size.
    private static let limits = JSONLimits(byteCount: .max, depth: 512)

    private let message: [UInt8]
    /// The parameters, if they were decoded in advance.
    private var prepared: Result<any CallParameters, VarlinkError>?

    /// Decodes a call from a message without its NUL byte.
    ///
    /// - Throws: If the message is not a JSON object, has no `method`, has an unknown member, a
    ///   flag that is not a boolean, or more than one flag set.
    package init(decoding message: [UInt8]) throws(MalformedMessage) {
        do {
            // The decoder checks only the members that it decodes, and accepts numbers such as `01`
            // and trailing commas.
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

    /// The interface, empty if the method is not qualified.
    package var interface: Substring {
        method[..<(method.lastIndex(of: ".") ?? method.startIndex)]
    }

    /// Decodes the parameters.
    ///
    /// Absent parameters and `null` are the same as `{}`.
    ///
    /// - Throws: ``VarlinkError/invalidParameter(_:)`` with the first parameter that is missing,
    ///   unknown or of the wrong type.
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

    /// Returns the call with its parameters decoded, so that ``parameters(as:)`` returns at once.
    func prepared<Parameters: CallParameters>(as type: Parameters.Type) -> Call {
        var call = self
        do throws(VarlinkError) {
            call.prepared = .success(try parameters(as: type))
        } catch {
            call.prepared = .failure(error)
        }
        return call
    }

    /// Returns the name of the parameter that a decoder rejected.
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
        // The decoder does not report the path of a number that is not an integer or is too large.
        let fractions = try? JSONDecoder().decode(Fractions.self, from: Data(message))
        return fractions?.names.first ?? Header.parametersKey
    }
}

/// The parameters of one method.
///
/// A conforming type declares its coding keys, so that unknown parameters are rejected rather than
/// ignored.
package protocol CallParameters: Decodable, Sendable {
    /// The names of the parameters.
    associatedtype CodingKeys: CodingKey & CaseIterable
}

/// The parameters of a method or a reply that has none.
package struct NoParameters: CallParameters, Codable, Hashable {
    /// There are no keys.
    package enum CodingKeys: CodingKey, CaseIterable {}

    /// Creates the only value.
    package init() {}

    package init(from decoder: any Decoder) throws {}
}

/// The key of any member of a JSON object.
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

/// The members of a call except its parameters.
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
                // Vendor-specific members have a dot in their name. Any other member is unknown.
                guard name.contains(".") else { throw MalformedMessage() }
            }
        }
        guard modes.count <= 1 else { throw MalformedMessage() }
        mode = modes.first ?? .single
    }
}

/// The names of the parameters that are numbers but do not fit an `Int`.
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
        // The first in alphabetical order, because the order in the message is lost.
        if let unknown = given.map(\.stringValue).filter({ !known.contains($0) }).min() {
            throw VarlinkError.invalidParameter(unknown)
        }
        parameters = try container.decode(Parameters.self, forKey: key)
    }
}
