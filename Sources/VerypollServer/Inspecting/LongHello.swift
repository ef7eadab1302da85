/// A ClientHello that is too long to be left in the kernel's buffer until it is complete.
///
/// An object, because few sessions have one.
final class LongHello {
    /// The length of the longest ClientHello, with its record headers, that is left in the kernel's
    /// buffer until it is complete.
    ///
    /// Such a ClientHello uses no memory of this process, and a receive buffer holds that many
    /// bytes however they arrive.
    static let longestAwaited = 4096

    /// The most bytes that a ClientHello may have with its record headers: enough for the longest
    /// message in records of 5 bytes, which are as short as the headers before them.
    static let byteLimit = 33 * 1024

    private(set) var bytes: [UInt8] = []
    private(set) var hello = ClientHello()

    /// The number of bytes that may still be read.
    var room: Int { Self.byteLimit - bytes.count }

    init() {}

    /// Keeps the next bytes, at most ``room``, and interprets them.
    ///
    /// - Returns: The meaning of all bytes; `tooLarge` also if there is no more room for an
    ///   incomplete ClientHello.
    func read(_ bytes: Span<UInt8>) -> ClientHello.Finding {
        for index in bytes.indices { self.bytes.append(bytes[index]) }
        let finding = hello.read(bytes)
        return finding == .incomplete && room <= 0 ? .tooLarge : finding
    }
}
