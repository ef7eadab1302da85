// Reading the extensions of a ClientHello: the names, the protocols and the versions.

extension ClientHello {
    /// Goes on to the next extension, or to the end of the message.
    mutating func finishExtension() {
        if messageRest == 0 { finish() } else { expect(.extensionType, 2) }
    }

    mutating func finishExtensionField(_ number: Int) {
        switch field {
        case .extensionType:
            kind = number
            expect(.extensionLength, 2)
        case .extensionLength: beginExtension(number)
        case .skippedExtension: finishExtension()
        case .namesLength: beginList(number, least: 4, .serverName)
        case .nameType:
            kind = number
            expect(.nameLength, 2)
        case .nameLength: beginName(number)
        case .protocolsLength: beginList(number, least: 2, .protocols)
        case .protocolLength:
            listRest -= 1 + number
            guard number >= 1, listRest >= 0 else { return finding = .malformed(.protocols) }
            protocols.append(UInt8(number))
            expect(.protocolName, number)
        case .versionsLength:
            guard number % 2 == 0 else { return finding = .malformed(.versions) }
            versions = []
            beginList(number, least: 2, .versions)
        case .versionNumber:
            versions.formUnion(Versions(number: number))
            listRest -= 2
            continueList()
        default: continueList()
        }
    }

    private mutating func beginExtension(_ length: Int) {
        guard length <= messageRest else { return finding = .malformed(.length) }
        let (known, list, width): (Extensions, Field, Int)
        switch kind {
        case 0: (known, list, width) = (.serverName, .namesLength, 2)
        case 16: (known, list, width) = (.protocols, .protocolsLength, 2)
        case 43: (known, list, width) = (.versions, .versionsLength, 1)
        default: return expect(.skippedExtension, length)
        }
        // A second one would make it ambiguous where the connection belongs.
        guard seen.insert(known).inserted else { return finding = .malformed(.repetition) }
        guard length >= width else { return finding = .malformed(known.reason) }
        listRest = length - width
        expect(list, width)
    }

    /// Begins a list, which must fill its extension.
    private mutating func beginList(_ length: Int, least: Int, _ known: Extensions) {
        guard length == listRest, length >= least else {
            return finding = .malformed(known.reason)
        }
        continueList()
    }

    /// Goes on to the next element of a list, or to the end of its extension.
    private mutating func continueList() {
        guard listRest > 0 else { return finishExtension() }
        switch field {
        case .namesLength, .hostName, .otherName: expect(.nameType, 1)
        case .protocolsLength, .protocolName: expect(.protocolLength, 1)
        default: expect(.versionNumber, 2)
        }
    }

    private mutating func beginName(_ length: Int) {
        listRest -= 3 + length
        guard listRest >= 0 else { return finding = .malformed(.serverName) }
        guard kind == 0 else { return expect(.otherName, length) }
        // There must not be two names of one type; RFC 6066, 3.
        guard length >= 1, seen.insert(.hostName).inserted else {
            return finding = .malformed(.serverName)
        }
        expect(.hostName, length)
    }
}

extension ClientHello.Extensions {
    fileprivate var reason: ClientHello.Reason {
        switch self {
        case .protocols: .protocols
        case .versions: .versions
        default: .serverName
        }
    }
}
