#if Net
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The control messages sent with the bytes of a Unix-domain socket, in the layout of cmsg(3).
///
/// Each message is a length, a level, a type and a payload, and is aligned to the size of a length.
enum ControlMessages {
    /// The most descriptors that one message carries, `SCM_MAX_FD`.
    static let descriptorLimit = 253

    private static let headerSize = MemoryLayout<Int>.size + 2 * MemoryLayout<CInt>.size
    private static let descriptorSize = MemoryLayout<CInt>.size
    private static let credentialsSize = 3 * MemoryLayout<CInt>.size
    private static let credentialsType: CInt = 2

    /// Returns the size of a message in bytes; `CMSG_SPACE`.
    private static func space(_ payload: Int) -> Int { aligned(headerSize) + aligned(payload) }

    private static func aligned(_ count: Int) -> Int {
        (count + MemoryLayout<Int>.size - 1) / MemoryLayout<Int>.size * MemoryLayout<Int>.size
    }

    /// Returns the size in bytes of the messages for credentials and `count` descriptors.
    static func capacity(forDescriptors count: Int) -> Int {
        space(credentialsSize) + space(count * descriptorSize)
    }

    /// Encodes the messages that pass descriptors and credentials.
    ///
    /// Empty if there are none.
    static func encode(_ descriptors: [FileDescriptor], _ credentials: PeerCredentials?) -> [UInt8]
    {
        var bytes: [UInt8] = []
        if !descriptors.isEmpty {
            append(CInt(SCM_RIGHTS), descriptors.map(\.rawValue), to: &bytes)
        }
        if let credentials {
            let words = [
                credentials.processID, CInt(bitPattern: credentials.userID),
                CInt(bitPattern: credentials.groupID),
            ]
            append(credentialsType, words, to: &bytes)
        }
        return bytes
    }

    private static func append(_ type: CInt, _ words: [CInt], to bytes: inout [UInt8]) {
        let length = aligned(headerSize) + words.count * MemoryLayout<CInt>.size
        let end = bytes.count + aligned(length)
        bytes.appendInteger(length)
        bytes.appendInteger(SOL_SOCKET)
        bytes.appendInteger(type)
        for word in words { bytes.appendInteger(word) }
        bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
    }

    /// The descriptors and credentials of received messages.
    struct Passed {
        var descriptors: [CInt] = []
        var credentials: PeerCredentials?
        /// Whether the length of a message exceeds the bytes or is less than that of its header.
        var isMalformed = false
    }

    /// Parses messages, and skips those of other types.
    static func parse(_ bytes: Span<UInt8>, into passed: inout Passed) {
        var offset = 0
        while bytes.count - offset >= headerSize {
            let length = bytes.integer(Int.self, at: offset)
            guard length >= headerSize, length <= bytes.count - offset else {
                passed.isMalformed = true
                return
            }
            let level = bytes.integer(CInt.self, at: offset + MemoryLayout<Int>.size)
            let type = bytes.integer(
                CInt.self,
                at: offset + MemoryLayout<Int>.size + MemoryLayout<CInt>.size
            )
            let start = offset + aligned(headerSize)
            let end = offset + length
            if level == SOL_SOCKET {
                take(type, bytes.extracting(min(start, end)..<end), into: &passed)
            }
            offset += min(aligned(length), bytes.count - offset)
        }
    }

    private static func take(_ type: CInt, _ payload: Span<UInt8>, into passed: inout Passed) {
        if type == CInt(SCM_RIGHTS) {
            for index in 0..<payload.count / descriptorSize {
                passed.descriptors.append(payload.integer(CInt.self, at: index * descriptorSize))
            }
        } else if type == credentialsType, payload.count >= credentialsSize {
            passed.credentials = PeerCredentials(
                processID: payload.integer(Int32.self, at: 0),
                userID: payload.integer(UInt32.self, at: 4),
                groupID: payload.integer(UInt32.self, at: 8)
            )
        }
    }
}

extension [UInt8] {
    /// Appends a number in the machine's native byte order.
    fileprivate mutating func appendInteger<Value: FixedWidthInteger>(_ value: Value) {
        for shift in 0..<MemoryLayout<Value>.size {
            append(UInt8(truncatingIfNeeded: value.littleEndian >> (8 * shift)))
        }
    }
}

extension Span<UInt8> {
    /// Returns the number at an offset, in the machine's native byte order.
    fileprivate func integer<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value
    {
        var value: Value = 0
        for index in (0..<MemoryLayout<Value>.size).reversed() {
            value = value << 8 | Value(truncatingIfNeeded: self[offset + index])
        }
        return Value(littleEndian: value)
    }
}
#endif
