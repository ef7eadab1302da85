/// How large and how deep a JSON text may be, so that reading any text is bounded work.
package struct JSONLimits: Sendable {
    /// The most bytes of the whole text.
    package let byteCount: Int

    /// The most arrays and objects within each other.
    ///
    /// Reading is recursive, so this bounds the stack as well.
    package let depth: Int

    /// Makes limits; the defaults are those of the configuration.
    package init(byteCount: Int = 1 << 20, depth: Int = 64) {
        self.byteCount = byteCount
        self.depth = depth
    }
}
