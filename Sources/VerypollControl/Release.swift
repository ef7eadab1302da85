/// What the daemon and the command say about themselves.
package enum Release {
    /// The version of this package.
    package static let version = "0.1.0"
}
