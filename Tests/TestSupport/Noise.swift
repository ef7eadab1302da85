internal import Glibc

/// A fixed block of random-looking bytes; tests send slices of it.
package enum Noise {
    /// The longest slice.
    package static let longest = 8 << 20

    /// The offsets at which slices may begin.
    package static let starts = 0..<(1 << 20)

    private static let bytes: [UInt8] = {
        var generator = Generator(state: 4)
        let words = (0..<((starts.upperBound + longest) / 8)).map { _ in generator.next() }
        return unsafe words.withUnsafeBytes { unsafe Array($0) }
    }()

    /// Returns a slice of `count` bytes; the same start always yields the same bytes.
    package static func slice(_ count: Int, at start: Int) -> ArraySlice<UInt8> {
        bytes[start..<start + count]
    }

    /// Passes all the bytes to `body`.
    package static func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        unsafe bytes.withUnsafeBytes { unsafe body($0) }
    }

    /// Whether `received` equals the slice at `start`, beginning `offset` bytes into it.
    package static func isSlice(_ received: [UInt8], at start: Int, offset: Int = 0) -> Bool {
        unsafe withBytes { all in
            unsafe received.withUnsafeBytes { bytes in
                guard offset + bytes.count <= longest, let left = bytes.baseAddress,
                    let right = all.baseAddress
                else { return received.isEmpty }
                return unsafe memcmp(left, right + start + offset, bytes.count) == 0
            }
        }
    }
}
