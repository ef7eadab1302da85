/// What daemon and command say about themselves.
package enum Product {
    /// The version of both.
    package static let version = "0.1.0"

    /// Who makes them.
    package static let vendor = "Verypoll"

    /// Where more is to be found.
    package static let url = "https://verypoll.io"
}
