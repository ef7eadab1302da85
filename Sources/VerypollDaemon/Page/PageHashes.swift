/// The source expressions of the page's inline style and script, as in CSP 3.
///
/// `Scripts/page-hashes` writes this file.
enum PageHashes {
    static let style = "sha256-a4KlEgXFxhayubA/b1gdkKe3giF1sYf1qruageEtfVY="
    static let script = "sha256-Yk0Wb9OZ9jnc3edDYGS7GsYvJiF/FA3e26lXaRccBa8="
}
