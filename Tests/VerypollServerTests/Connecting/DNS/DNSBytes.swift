import Verypoll

/// Bytes of messages of name servers (RFC 1035), written without the code under test.
enum DNSBytes {
    /// The name of the service in most tests.
    static let service = "_app._tcp.example.test"

    /// Returns a name as labels, without changing the case of its letters.
    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// Returns a pointer to a name at an offset of the message.
    static func pointer(to offset: UInt16) -> [UInt8] { number(0xC000 | offset) }

    static func number(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    static func record(
        _ owner: [UInt8],
        type: UInt16,
        class: UInt16 = 1,
        timeToLive: UInt32 = 60,
        _ data: [UInt8]
    ) -> [UInt8] {
        let seconds = number(UInt16(timeToLive >> 16)) + number(UInt16(timeToLive & 0xFFFF))
        let head = owner + number(type) + number(`class`) + seconds
        return head + number(UInt16(data.count)) + data
    }

    static func srv(_ target: String, timeToLive: UInt32 = 60) -> [UInt8] {
        srv(service, 0, 0, 80, target, timeToLive: timeToLive)
    }

    static func srv(
        _ owner: String,
        _ priority: UInt16,
        _ weight: UInt16,
        _ port: UInt16,
        _ target: String,
        timeToLive: UInt32 = 60
    ) -> [UInt8] {
        let data = number(priority) + number(weight) + number(port) + name(target)
        return record(name(owner), type: 33, timeToLive: timeToLive, data)
    }

    static func address(_ owner: String, _ text: String, timeToLive: UInt32 = 60) -> [UInt8] {
        guard let address = IPAddress(text) else { return [] }
        let isV4 = address.family == .v4
        let data = stride(from: isV4 ? 24 : 120, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: address.bits >> UInt128($0))
        }
        return record(name(owner), type: isV4 ? 1 : 28, timeToLive: timeToLive, data)
    }

    static func alias(_ owner: String, of target: String, timeToLive: UInt32 = 60) -> [UInt8] {
        record(name(owner), type: 5, timeToLive: timeToLive, name(target))
    }

    /// Returns the question for a name, in the form of messages.
    static func question(_ text: String = service, type: UInt16 = 33) -> [UInt8] {
        name(text) + number(type) + number(1)
    }

    /// Returns a whole message.
    static func message(
        identifier: UInt16 = 7,
        flags: UInt16 = 0x8180,
        questions: [[UInt8]] = [question()],
        answers: [[UInt8]] = [],
        authority: [[UInt8]] = [],
        additional: [[UInt8]] = []
    ) -> [UInt8] {
        let sections = [questions, answers, authority, additional]
        let head = [identifier, flags] + sections.map { UInt16($0.count) }
        return head.flatMap(number) + sections.flatMap { $0.flatMap { $0 } }
    }
}
