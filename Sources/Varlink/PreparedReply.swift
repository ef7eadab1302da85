/// An answer to one call that is encoded already, maybe on another thread.
package struct PreparedReply: Sendable {
    /// The message, with the NUL byte that ends it.
    let message: [UInt8]

    /// Encodes what a call is answered; `nil` if JSON cannot say it.
    package init?(_ parameters: some Encodable) {
        let outgoing = OutgoingMessage(parameters: parameters is NoParameters ? nil : parameters)
        guard let message = try? outgoing.encoded() else { return nil }
        self.message = message
    }

    /// Encodes the error that a call ends with; `nil` if JSON cannot say it.
    package init?(failing error: VarlinkError) {
        let outgoing = OutgoingMessage(
            error: error.name,
            parameters: error.parameters.isEmpty ? nil : error.parameters
        )
        guard let message = try? outgoing.encoded() else { return nil }
        self.message = message
    }
}
