/// The encoded replies to one call, which another thread may have created.
package struct PreparedReply: Sendable {
    /// The messages, each followed by a NUL byte.
    let messages: [UInt8]

    /// Encodes a reply.
    ///
    /// Returns `nil` if JSON cannot represent the parameters.
    package init?(_ parameters: some Encodable) {
        let outgoing = OutgoingMessage(parameters: parameters is NoParameters ? nil : parameters)
        guard let message = try? outgoing.encoded() else { return nil }
        messages = message
    }

    /// Encodes all replies to a call with `more`.
    ///
    /// Returns `nil` if there is no reply, if JSON cannot represent one, or if all together have
    /// more than `limit` bytes.
    package init?(all replies: [some Encodable], limit: Int = ServerConnection.outputLimit) {
        guard !replies.isEmpty else { return nil }
        var messages: [UInt8] = []
        for (index, parameters) in replies.enumerated() {
            let continues = index < replies.count - 1 ? true : nil
            let outgoing = OutgoingMessage(continues: continues, parameters: parameters)
            guard let message = try? outgoing.encoded(), messages.count + message.count <= limit
            else { return nil }
            messages += message
        }
        self.messages = messages
    }

    /// Encodes an error reply.
    ///
    /// Returns `nil` if JSON cannot represent its parameters.
    package init?(failing error: VarlinkError) {
        let outgoing = OutgoingMessage(
            error: error.name,
            parameters: error.parameters.isEmpty ? nil : error.parameters
        )
        guard let message = try? outgoing.encoded() else { return nil }
        messages = message
    }
}
