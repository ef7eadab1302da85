internal import FoundationEssentials
internal import StrictJSON

/// An answer to a call, as a service sent it.
package struct Reply: Sendable {
    /// The error that the call ended with.
    package let error: VarlinkError?

    /// Whether more replies to the same call follow.
    package let continues: Bool

    private let message: [UInt8]

    /// Makes a reply of a message, which comes without its NUL byte.
    ///
    /// Members and parameters that are not known are ignored, as a later service may send them.
    ///
    /// - Throws: If the message is no JSON object, or its `error` or `continues` is ill-typed.
    package init(decoding message: [UInt8]) throws(MalformedMessage) {
        do {
            let decoder = JSONDecoder()
            let header = try decoder.decode(ReplyHeader.self, from: Data(message))
            continues = header.continues ?? false
            error = try header.error.map { name in
                let body = try decoder.decode(
                    ReplyBody<[String: JSONValue]>.self,
                    from: Data(message)
                )
                return VarlinkError(name: name, parameters: body.parameters ?? [:])
            }
            self.message = message
        } catch {
            throw MalformedMessage()
        }
    }

    /// Decodes the parameters; absent ones, `null` and `{}` are the same.
    ///
    /// - Throws: The reply's own error, or ``MalformedMessage`` if the parameters are not those
    ///   asked for.
    package func parameters<Parameters: Decodable>(
        as type: Parameters.Type = Parameters.self
    ) throws -> Parameters {
        if let error { throw error }
        do {
            let decoder = JSONDecoder()
            let body = try decoder.decode(ReplyBody<Parameters>.self, from: Data(message))
            return try body.parameters ?? decoder.decode(type, from: Data("{}".utf8))
        } catch {
            throw MalformedMessage()
        }
    }
}

private struct ReplyHeader: Decodable {
    let error: String?
    let continues: Bool?
}

private struct ReplyBody<Parameters: Decodable>: Decodable {
    let parameters: Parameters?
}

/// A message to be sent, call or reply; what is `nil` is left out.
struct OutgoingMessage<Parameters: Encodable>: Encodable {
    var method: String?
    var oneway: Bool?
    var more: Bool?
    var error: String?
    var continues: Bool?
    var parameters: Parameters?

    /// The message as JSON without white space, with the NUL byte that ends it.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = try encoder.encode(self)
        var message: [UInt8] = []
        message.reserveCapacity(text.count + 1)
        message += text
        message.append(0)
        return message
    }
}
