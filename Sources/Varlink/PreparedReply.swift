/// An encoded reply to one call, which another thread may have created.
package struct PreparedReply: Sendable {
    /// The message, followed by a NUL byte.
    let message: [UInt8]

    /// Encodes a reply.
    ///
    /// Returns `nil` if JSON cannot represent the parameters.
    package init?(_ parameters: some Encodable) {
        let outgoing = OutgoingMessage(parameters: parameters is NoParameters ? nil : parameters)
        guard let message = try? outgoing.encoded() else { return nil }
        self.message = message
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
        self.message = message
    }
}
