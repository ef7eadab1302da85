import SystemPackage
import TestSupport
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

/// The header of a TCP connection.
func tcpHeader(_ source: String, _ destination: String) throws -> ProxyHeader {
    guard let source = SocketAddress(source), let destination = SocketAddress(destination) else {
        throw NoAddress()
    }
    return ProxyHeader(.tcp(source: source, destination: destination))
}

private struct NoAddress: Error {}

extension ProxyHeader {
    /// What servers are sent.
    func written(_ version: UpstreamConfiguration.ProxyHeader) -> [UInt8] {
        let capacity = version == .v1 ? Self.longestLine : Self.longestBinary
        return [UInt8](capacity: capacity) { output in write(version, into: &output) }
    }

    /// One of any kind.
    static func random(using generator: inout Generator) -> ProxyHeader {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: ProxyHeader(.local)
        case 1:
            ProxyHeader(
                .unix(source: .random(using: &generator), destination: .random(using: &generator))
            )
        default:
            ProxyHeader(
                .tcp(source: .random(using: &generator), destination: .random(using: &generator))
            )
        }
    }
}

extension SocketAddress {
    fileprivate static func random(using generator: inout Generator) -> SocketAddress {
        let port = UInt16.random(in: 0 ... .max, using: &generator)
        let v4 = UInt32.random(in: 0 ... .max, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0, 1: return SocketAddress(IPAddress(v4: v4), port: port)
        case 2: return SocketAddress(IPAddress(v6: 0xFFFF << 32 | UInt128(v4)), port: port)
        default:
            // Runs of zero groups are what the text is about.
            let kept = UInt8.random(in: 0 ... .max, using: &generator)
            var bits: UInt128 = 0
            for group in 0..<8 {
                let value = UInt16.random(in: 1 ... .max, using: &generator)
                bits = bits << 16 | (kept >> group & 1 == 0 ? 0 : UInt128(value))
            }
            return SocketAddress(IPAddress(v6: bits), port: port)
        }
    }
}

extension UnixAddress {
    fileprivate static func random(using generator: inout Generator) -> UnixAddress {
        let count = Int.random(in: 1...107, using: &generator)
        // No slash, of which FilePath keeps but one, and no zero at the end.
        let name = (0..<count).map { _ in UInt8.random(in: 0x80 ... .max, using: &generator) }
        let text = name.map(CChar.init(bitPattern:)) + [0]
        return switch Int.random(in: 0..<3, using: &generator) {
        case 0: .unnamed
        case 1: .abstract(count > 1 ? [0] + name.dropFirst() : name)
        default: .path(FilePath(platformString: text))
        }
    }
}
