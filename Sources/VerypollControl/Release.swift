/// The release of this package.
package enum Release {
    /// The version.
    ///
    /// The commands, Scripts/man-pages and Scripts/deb read it here.
    package static let version = "0.2.0"
}
