package import Synchronization

/// A number that several objects and threads share.
package final class SharedCount: Sendable {
    package let value = Atomic(0)

    package init() {}
}
