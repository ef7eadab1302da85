/// Continuing replies to many callers, encoded once for all of them.
package struct SharedReply: Sendable {
    let messages: [UInt8]

    /// Encodes a reply for each value that JSON can represent; skips the others.
    package init(_ replies: [some Encodable]) {
        messages = replies.reduce(into: []) { messages, parameters in
            let outgoing = OutgoingMessage(continues: true, parameters: parameters)
            if let message = try? outgoing.encoded() { messages += message }
        }
    }
}
