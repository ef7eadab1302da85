public import SystemPackage

/// The address of a Unix-domain socket; see unix(7).
public enum UnixAddress: Hashable, Sendable {
    /// The path of a file, at most 107 bytes long.
    case path(FilePath)

    /// An abstract name, which is not a file: at most 107 bytes of any value.
    case abstract([UInt8])

    /// The address of a socket that was never bound.
    case unnamed
}

extension UnixAddress: CustomStringConvertible {
    /// The path, `@` and the abstract name, or an empty string.
    public var description: String {
        switch self {
        case .path(let path): path.string
        case .abstract(let name): "@" + String(decoding: name, as: UTF8.self)
        case .unnamed: ""
        }
    }
}
