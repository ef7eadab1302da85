internal import FoundationEssentials
internal import StrictJSON

/// A reply to a call, received from a service.
package struct Reply: Sendable {
    /// The error, if the call failed.
    package let error: VarlinkError?

    /// Whether more replies to the same call follow.
    package let continues: Bool

    private let message: [UInt8]

    /// Decodes a reply from a message without its NUL byte.
    ///
    /// Unknown members and parameters are ignored, because a newer service may send them.
    ///
    /// - Throws: If the message is not a JSON object, or if its `error` or `continues` has the
    ///   wrong type.
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

    /// Decodes the parameters.
    ///
    /// Absent parameters and `null` are the same as `{}`.
    ///
    /// - Throws: The reply's error, or ``MalformedMessage`` if the parameters do not have the
    ///   requested type.
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

/// A call or reply to send.
///
/// Members that are `nil` are left out.
struct OutgoingMessage<Parameters: Encodable>: Encodable {
    var method: String?
    var oneway: Bool?
    var more: Bool?
    var error: String?
    var continues: Bool?
    var parameters: Parameters?

    /// Encodes the message as JSON without white space, followed by a NUL byte.
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
