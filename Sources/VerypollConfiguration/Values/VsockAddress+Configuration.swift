internal import Console
internal import Verypoll

extension VsockAddress {
    /// Parses `vsock:CID:PORT`, or returns `nil` if the text does not begin with `vsock:`.
    ///
    /// For a listener, the CID may be `*` or empty, as in systemd.socket(5).
    init?(configured text: String, of role: HostAndPort.Role) throws(InvalidValue) {
        guard let rest = text.dropPrefix("vsock:") else { return nil }
        guard let address = VsockAddress(rest) else {
            throw InvalidValue(
                "\(text.quoted) is not a valid vsock address; write a CID and a port, as in"
                    + (role == .listener
                        ? " \"vsock:*:8080\" for all CIDs of this machine" : " \"vsock:3:8080\"")
            )
        }
        guard address.port != 0 else {
            throw InvalidValue(
                "\(text.quoted) has port 0; write a port from 1 to 4294967294"
                    + (role == .listener
                        ? ", or 4294967295 for one that the kernel chooses" : "")
            )
        }
        if role == .server, address.cid == Self.anyCID || address.port == Self.anyPort {
            throw InvalidValue(
                "\(text.quoted) is an address for listeners only; write the CID and the port of the"
                    + " server, as in \"vsock:3:8080\""
            )
        }
        self = address
    }
}
