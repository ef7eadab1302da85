/// The addresses of `allow` or `deny`: blocks, and files of blocks.
package struct AddressList: Equatable, Sendable {
    /// A block, or a file of blocks.
    package enum Element: Equatable, Sendable {
        case block(AddressPrefix)
        case file(AddressFile)
    }

    /// The elements, in the order of the configuration.
    package var elements: [Element]

    /// Makes a list of elements.
    package init(_ elements: [Element] = []) {
        self.elements = elements
    }

    /// Makes a list of blocks.
    package init(_ blocks: [AddressPrefix]) {
        elements = blocks.map { .block($0) }
    }

    package var isEmpty: Bool { elements.isEmpty }

    /// All addresses of the list.
    ///
    /// The set of a list that consists of one file shares the memory of the file's set.
    package var addresses: AddressSet {
        if elements.count == 1, case .file(let file)? = elements.first { return file.addresses }
        var builder = AddressSet.Builder()
        for element in elements {
            switch element {
            case .block(let block): builder.add(block)
            case .file(let file): builder.add(file.addresses)
            }
        }
        return builder.finish()
    }
}

/// A file with a block of addresses in each line.
package struct AddressFile: Equatable, Sendable {
    /// The absolute path or, in a text that a client sent, the name in this text.
    package let path: String
    /// The number of lines with a block.
    package let entryCount: Int
    /// The addresses; empty if the file was not read, because a client sent its name.
    package let addresses: AddressSet
    /// A number that differs if the addresses differ, in hexadecimal.
    package let hash: String

    /// Makes a file that was read.
    init(path: String, entryCount: Int, addresses: AddressSet) {
        self.path = path
        self.entryCount = entryCount
        self.addresses = addresses
        let digits = String(addresses.hash, radix: 16)
        hash = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Makes a file that is not read.
    init(path: String, entryCount: Int, hash: String) {
        self.path = path
        self.entryCount = entryCount
        self.hash = hash
        addresses = AddressSet([])
    }
}
