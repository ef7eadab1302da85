import SystemPackage
import Verypoll

private let byteCount = 64

func passStream(count: Int) throws {
    var polling = try Polling()
    let pair = try UnixStream.pair()
    try polling.poll.registry.register(pair.second, token: Token(1), interest: .readable)
    var bytes = [UInt8](repeating: 0, count: byteCount)
    for _ in 0..<count {
        _ = try pair.first.write(bytes.span)
        try polling.expectOne()
        let received = try pair.second.read(into: bytes.mutableSpan)
        precondition(received == byteCount)
    }
}

func passDatagram(count: Int) throws {
    var polling = try Polling()
    let sender = try UDPSocket(binding: .loopback(port: 0))
    let receiver = try UDPSocket(binding: .loopback(port: 0))
    let address = try receiver.localAddress()
    try polling.poll.registry.register(receiver, token: Token(1), interest: .readable)
    var bytes = [UInt8](repeating: 0, count: byteCount)
    for _ in 0..<count {
        _ = try sender.send(bytes.span, to: address)
        try polling.expectOne()
        bytes.removeAll(keepingCapacity: true)
        try bytes.append(addingCapacity: byteCount) { buffer throws(Errno) in
            _ = try receiver.receiveFrom(into: &buffer)
        }
        precondition(bytes.count == byteCount)
    }
}
