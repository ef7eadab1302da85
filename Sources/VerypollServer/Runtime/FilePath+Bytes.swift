internal import SystemPackage

extension FilePath {
    /// Lends the bytes of the path, which need not be valid UTF-8, to `body`.
    func withBytes<Value>(_ body: (Span<UInt8>) -> Value) -> Value {
        unsafe withPlatformString { text in
            let bytes = unsafe UnsafeRawBufferPointer(start: text, count: length)
            return body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
        }
    }
}
