/// A message from a client that is not decoded yet.
///
/// Decoding time grows with the size of the message, so a long message is decoded on another
/// thread.
package struct UndecodedCall: Sendable {
    private let message: [UInt8]

    init(message: [UInt8]) {
        self.message = message
    }

    /// Decodes the message, without its parameters.
    package func decoded() -> Result<Call, MalformedMessage> {
        Result { () throws(MalformedMessage) in try Call(decoding: message) }
    }

    /// Decodes the message with its parameters, whose type depends on the method.
    ///
    /// - Parameter type: Returns the type of a method's parameters; `nil` leaves them undecoded.
    /// - Returns: The call, or an error if the message is not a valid call.
    package func decoded(
        with type: (String) -> (any CallParameters.Type)?
    ) -> Result<Call, MalformedMessage> {
        decoded().map { call in
            guard let type = type(call.method) else { return call }
            return call.prepared(as: type)
        }
    }
}
