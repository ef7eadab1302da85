/// A reply that continues and goes to many callers, encoded once for all of them.
package struct SharedReply: Sendable {
    let message: [UInt8]

    /// Makes a reply of what it tells, or `nil` if JSON can't say that.
    package init?(_ parameters: some Encodable) {
        let outgoing = OutgoingMessage(continues: true, parameters: parameters)
        guard let message = try? outgoing.encoded() else { return nil }
        self.message = Array(message)
    }
}
