/// The address of a vsock socket: a context identifier (CID) and a port; see vsock(7).
///
/// A CID names a virtual machine or its host. Port numbers have 32 bits and are separate from those
/// of TCP.
///
/// The text form is `3:8080`, or `*:8080` for ``anyCID``.
public struct VsockAddress: Hashable, Sendable {
    /// The context identifier of a machine.
    public let cid: UInt32

    /// The port, or ``anyPort`` to let the kernel choose one.
    public let port: UInt32

    /// Creates an address from its parts.
    public init(cid: UInt32, port: UInt32) {
        self.cid = cid
        self.port = port
    }

    /// All CIDs of this machine, for a listener; `VMADDR_CID_ANY`.
    public static var anyCID: UInt32 { .max }

    /// This machine itself; `VMADDR_CID_LOCAL`.
    ///
    /// It requires the kernel module `vsock_loopback` (Linux 5.6). Without that module, the kernel
    /// sends a connection to this CID to the host.
    public static var localCID: UInt32 { 1 }

    /// The host of a virtual machine; `VMADDR_CID_HOST`.
    public static var hostCID: UInt32 { 2 }

    /// A port that the kernel chooses, for a listener; `VMADDR_PORT_ANY`.
    ///
    /// Port 0 is an ordinary port.
    public static var anyPort: UInt32 { .max }
}

extension VsockAddress: LosslessStringConvertible {
    /// Parses a CID and a port.
    ///
    /// - Returns: `nil` unless `description` is `CID:PORT`, or `*:PORT` or `:PORT` for ``anyCID``,
    ///   with decimal numbers.
    public init?(_ description: String) {
        let text = description.utf8
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
            let port = IPAddress.decimal(text[text.index(after: colon)...], upTo: .max)
        else { return nil }
        let machine = text[..<colon]
        if machine.isEmpty || machine.elementsEqual("*".utf8) {
            self.init(cid: Self.anyCID, port: port)
        } else if let cid = IPAddress.decimal(machine, upTo: .max) {
            self.init(cid: cid, port: port)
        } else {
            return nil
        }
    }

    /// The text form that ``init(_:)`` parses.
    public var description: String {
        cid == Self.anyCID ? "*:\(port)" : "\(cid):\(port)"
    }
}
