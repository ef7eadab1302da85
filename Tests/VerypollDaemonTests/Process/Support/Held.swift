internal import TestSupport

/// A client in a class, because arrays cannot hold noncopyable values.
final class Held: Sendable {
    let client: Client

    init(_ client: consuming Client) {
        self.client = client
    }
}
