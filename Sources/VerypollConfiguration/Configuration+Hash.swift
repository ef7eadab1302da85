internal import StrictJSON

extension Configuration {
    /// A short hash of ``effective``: the FNV-1a hash with 64 bits of its text, as 16 hexadecimal
    /// digits.
    ///
    /// The hash is the same on all machines, so that the daemons of a fleet can be compared. It
    /// includes the defaults that depend on the machine, such as the number of workers. It is no
    /// protection against deliberate collisions.
    package var hash: String {
        let hash = Self.hash(JSONValue.object(effective).text.utf8)
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Returns the FNV-1a hash of bytes; see draft-eastlake-fnv.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
