internal import TestSupport

/// A client in a box, as arrays hold no noncopyable values.
final class Held: Sendable {
    let client: Client

    init(_ client: consuming Client) {
        self.client = client
    }
}
