/// The limits of a JSON text, which bound the work of parsing any text.
package struct JSONLimits: Sendable {
    /// The most bytes in the text.
    package let byteCount: Int

    /// The most nested arrays and objects.
    ///
    /// The parser is recursive, so this also bounds the stack.
    package let depth: Int

    /// Creates limits.
    ///
    /// The defaults are those of the configuration.
    package init(byteCount: Int = 1 << 20, depth: Int = 64) {
        self.byteCount = byteCount
        self.depth = depth
    }
}
