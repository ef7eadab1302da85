/// A network interface that receives or sends multicast.
public enum NetworkInterface: Hashable, Sendable {
    /// The interface that the kernel's routes choose.
    case any

    /// The interface with an index, as returned by if_nametoindex(3); 1 is the loopback interface.
    case index(UInt32)

    /// The interface with an IPv4 address. IPv6 identifies interfaces only by index.
    case address(IPAddress)
}
