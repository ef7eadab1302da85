internal import FuzzSupport
internal import SystemPackage

@testable internal import Verypoll

/// Compares the parsing of whole, truncated and garbled control messages with a simple parser.
private let target = FuzzTarget(
    seeds: [
        ControlMessages.encode([FileDescriptor(rawValue: 7)], nil),
        ControlMessages.encode(
            [FileDescriptor(rawValue: 7), FileDescriptor(rawValue: 8)],
            PeerCredentials(processID: 1, userID: 2, groupID: 3)
        ),
        ControlMessages.encode([], PeerCredentials(processID: 1, userID: 2, groupID: 3)),
    ]
) { input in
    compare(input)
    roundTrip(Script(input))
}

/// Compares the result for arbitrary bytes with the rules of cmsg(3).
private func compare(_ input: Span<UInt8>) {
    var passed = ControlMessages.Passed()
    ControlMessages.parse(input, into: &passed)
    let expected = Reading(input.indices.map { input[$0] })
    require(passed.descriptors == expected.descriptors, "wrong descriptors")
    require(passed.credentials == expected.credentials, "wrong credentials")
    require(passed.isMalformed == expected.isMalformed, "wrong about being well-formed")
}

/// Checks that encoded messages decode to their contents, and truncated ones to a part of them.
private func roundTrip(_ input: consuming Script) {
    let count = input.next(below: 8)
    let descriptors = (0..<count).map { _ in FileDescriptor(rawValue: input.next(CInt.self)) }
    let credentials = PeerCredentials(
        processID: input.next(Int32.self),
        userID: input.next(UInt32.self),
        groupID: input.next(UInt32.self)
    )
    let encoded = ControlMessages.encode(descriptors, count % 2 == 0 ? credentials : nil)
    require(encoded.count <= ControlMessages.capacity(forDescriptors: count), "no room")
    var passed = ControlMessages.Passed()
    ControlMessages.parse(encoded.span, into: &passed)
    require(passed.descriptors == descriptors.map(\.rawValue), "descriptors were lost")
    require(passed.credentials == (count % 2 == 0 ? credentials : nil), "credentials were lost")
    require(!passed.isMalformed, "its own encoding is malformed")
    compare(encoded.span.extracting(first: input.next(below: 1 + encoded.count)))
}

/// A simple parser of control messages, written from the manual page.
private struct Reading {
    var descriptors: [CInt] = []
    var credentials: PeerCredentials?
    var isMalformed = false

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while rest.count >= 16 {
            let length = Self.number(Int.self, rest)
            guard length >= 16, length <= rest.count else {
                isMalformed = true
                return
            }
            let level = Self.number(CInt.self, rest.dropFirst(8))
            let type = Self.number(CInt.self, rest.dropFirst(12))
            let payload = rest.prefix(length).dropFirst(16)
            switch (level, type) {
            case (1, 1): readDescriptors(payload)  // SOL_SOCKET, SCM_RIGHTS
            case (1, 2) where payload.count >= 12: readCredentials(payload)  // SCM_CREDENTIALS
            default: break
            }
            rest = rest.dropFirst((length + 7) & ~7)
        }
    }

    private mutating func readDescriptors(_ payload: ArraySlice<UInt8>) {
        var rest = payload
        while rest.count >= 4 {
            descriptors.append(Self.number(CInt.self, rest))
            rest = rest.dropFirst(4)
        }
    }

    private mutating func readCredentials(_ payload: ArraySlice<UInt8>) {
        credentials = PeerCredentials(
            processID: Self.number(Int32.self, payload),
            userID: Self.number(UInt32.self, payload.dropFirst(4)),
            groupID: Self.number(UInt32.self, payload.dropFirst(8))
        )
    }

    private static func number<Number: BitwiseCopyable>(
        _ type: Number.Type,
        _ bytes: ArraySlice<UInt8>
    ) -> Number {
        unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: type) }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe target.run(bytes, count)
}

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(
    _ bytes: UnsafeMutablePointer<UInt8>,
    _ count: Int,
    _ capacity: Int,
    _ random: CUnsignedInt
) -> Int {
    unsafe target.mutate(bytes, count, capacity, random)
}
