/// The network interface that multicast comes from or goes to.
public enum NetworkInterface: Hashable, Sendable {
    /// The one that the kernel's routes choose.
    case any

    /// The one of a number, as if_nametoindex(3) gives; 1 is the loopback interface.
    case index(UInt32)

    /// The one that has an IPv4 address; IPv6 knows interfaces by their numbers only.
    case address(IPAddress)
}
