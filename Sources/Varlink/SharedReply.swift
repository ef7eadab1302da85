/// Replies that continue and go to many callers, encoded once for all of them.
package struct SharedReply: Sendable {
    let messages: [UInt8]

    /// Makes a reply of each of the values, without those that JSON can't say.
    package init(_ replies: [some Encodable]) {
        messages = replies.reduce(into: []) { messages, parameters in
            let outgoing = OutgoingMessage(continues: true, parameters: parameters)
            if let message = try? outgoing.encoded() { messages += message }
        }
    }
}
