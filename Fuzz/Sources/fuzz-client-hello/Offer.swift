internal import FuzzSupport

@testable internal import VerypollServer

/// A ClientHello that a script's decisions choose, and the expected result.
struct Offer {
    private(set) var message: [UInt8] = [1]
    private(set) var outcome = Outcome()
    /// Whether the outcome is known: no extension has arbitrary contents.
    private(set) var isPredicted = true
    /// The types of extensions that must not be repeated.
    private var types: Set<Int> = []

    init(_ input: inout Script) {
        let version = [0x0303, 0x0303, 0x0302, 0x0301, 0x0300, 0x0304][input.next(below: 6)]
        var body = Self.number(2, version) + Self.filler(32)
        body += Self.vector(1, Self.filler([0, 32, 1, 31][input.next(below: 4)]))
        let suites = (0...input.next(below: 20)).flatMap { _ in
            Self.number(2, input.next(below: 4) == 0 ? Self.grease(&input) : 0x1301)
        }
        body += Self.vector(2, suites)
        body += Self.vector(1, Self.filler(1 + input.next(below: 3)))
        var extensions: [UInt8] = []
        for _ in 0..<input.next(below: 10) { extensions += nextExtension(&input) }
        let choice = input.next(below: 64)
        // The message has the longest valid length, or one byte less or more.
        let padding = 1 << 14 - body.count - extensions.count - 7 + choice
        if choice < 3, padding >= 0 {
            extensions += Self.number(2, 21) + Self.vector(2, Self.filler(padding))
        }
        if choice % 2 == 0 || !extensions.isEmpty { body += Self.vector(2, extensions) }
        if !types.contains(43) { outcome.versions = Self.versions([min(version, 0x0303)]) }
        if body.count > 1 << 14 { outcome.finding = .tooLarge }
        message += Self.vector(3, body)
    }

    private mutating func nextExtension(_ input: inout Script) -> [UInt8] {
        if input.next(below: 8) == 7 { return nextShortExtension(&input) }
        var type = [0, 0, 16, 43, 21, 0x80, 0x0A0A][input.next(below: 7)]
        if type == 0x0A0A { type = Self.grease(&input) }
        if type == 0x80 { type |= Int(input.next(UInt16.self)) }
        if [0, 16, 43].contains(type), !types.insert(type).inserted { fail(.repetition) }
        let data =
            switch type {
            case 0: nextServerNames(&input)
            case 16: nextProtocols(&input)
            case 43: nextVersions(&input)
            case 21: Self.filler(Int(input.next(UInt16.self)) % 512)
            default: Self.filler(input.next(below: 40))
            }
        return Self.number(2, type) + Self.vector(2, data)
    }

    /// Returns an extension with a short list of arbitrary bytes; few such lists are valid.
    private mutating func nextShortExtension(_ input: inout Script) -> [UInt8] {
        isPredicted = false
        let type = [0, 16, 43][input.next(below: 3)]
        let size = input.next(below: 3)
        let list = (0..<input.next(below: 8)).map { _ in UInt8(input.next(below: 6)) }
        let data = size == 0 ? list : Self.vector(size, list)
        return Self.number(2, type) + Self.vector(2, data)
    }

    private mutating func nextServerNames(_ input: inout Script) -> [UInt8] {
        var list: [UInt8] = []
        var hasHost = false
        repeat {
            let type = input.next(below: 3)
            let name = Self.filler(input.next(below: 256), from: list.count)
            if type == 0, !name.isEmpty {
                if hasHost { fail(.serverName) }
                if !hasHost { outcome.serverName = name }
                hasHost = true
                list += [0] + Self.vector(2, name)
            } else {
                list += [UInt8(1 + input.next(below: 255))] + Self.vector(2, name)
            }
        } while list.count < 4 || input.next(below: 3) == 1
        return Self.vector(2, list)
    }

    private mutating func nextProtocols(_ input: inout Script) -> [UInt8] {
        var list: [UInt8] = []
        repeat {
            list += Self.vector(1, Self.filler(1 + input.next(below: 255), from: list.count))
        } while input.next(below: 3) != 0
        outcome.protocols = list
        return Self.vector(2, list)
    }

    private mutating func nextVersions(_ input: inout Script) -> [UInt8] {
        let known = [0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x0305, 0x7F1C, 0x0403]
        let list = (0...input.next(below: 8)).map { _ in
            let choice = input.next(below: 10)
            return choice < known.count ? known[choice] : Self.grease(&input)
        }
        outcome.versions = Self.versions(list)
        return Self.vector(1, list.flatMap { Self.number(2, $0) })
    }

    /// Expects a malformed message, unless an earlier part of it is malformed already.
    private mutating func fail(_ reason: ClientHello.Reason) {
        if outcome.finding == .complete { outcome.finding = .malformed(reason) }
    }

    private static func versions(_ list: [Int]) -> ClientHello.Versions {
        var versions: ClientHello.Versions = []
        if list.contains(0x0301) { versions.insert(.tls10) }
        if list.contains(0x0302) { versions.insert(.tls11) }
        if list.contains(0x0303) { versions.insert(.tls12) }
        if list.contains(0x0304) { versions.insert(.tls13) }
        return versions
    }

    /// Returns one of the reserved values of RFC 8701.
    private static func grease(_ input: inout Script) -> Int {
        0x0A0A + 0x1010 * input.next(below: 16)
    }

    static func number(_ size: Int, _ number: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    /// Returns the content after its length, a number of `size` bytes.
    static func vector(_ size: Int, _ content: [UInt8]) -> [UInt8] {
        number(size, content.count) + content
    }

    static func filler(_ count: Int, from start: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: start + $0 * 7) }
    }
}
