internal import Console
internal import StrictJSON
internal import SystemPackage

/// Reads the files of address blocks that a configuration names, each one once.
final class AddressFileReader {
    /// The maximum size of all files, in bytes.
    static let byteLimit = 64 << 20
    /// The most blocks in all files.
    static let entryLimit = 4_000_000

    private let surroundings: Surroundings?
    private let problems: ProblemList
    private var files: [FilePath: AddressFile?] = [:]
    private var bytesLeft = AddressFileReader.byteLimit
    private var entriesLeft = AddressFileReader.entryLimit

    /// Makes a reader that reports its problems.
    ///
    /// - Parameters:
    ///   - surroundings: Reads the files; `nil` for a text that can name no files.
    ///   - problems: The list to which problems are reported.
    init(_ surroundings: Surroundings?, problems: ProblemList) {
        self.surroundings = surroundings
        self.problems = problems
    }

    /// The paths of the files that were read.
    var paths: [String] { files.values.compactMap { $0?.path }.sorted() }

    /// Returns the file that an object of the configuration names, or `nil` after a problem.
    func file(_ object: ObjectReader) -> AddressFile? {
        let pointer = object.pointer / "file"
        let name = object.text("file") { (text) throws(InvalidValue) in
            if text.isEmpty { throw InvalidValue("the name is empty; write the name of a file") }
            return text
        }
        let entryCount = object.optionalInteger("entries")
        let hash = object.text("hash") { $0 }
        guard let name else { return nil }
        guard let surroundings else {
            // The text is the effective configuration of a file that was checked before.
            if let entryCount, let hash {
                return AddressFile(path: name, entryCount: entryCount, hash: hash)
            }
            problems.report(
                pointer,
                "files can't be read for a text that a client sends; check the file with"
                    + " verypollctl config check FILE"
            )
            return nil
        }
        let path = FilePath(problems.fileName(of: pointer)).sibling(name)
        let key = path.lexicallyNormalized()
        if let known = files[key] { return known }
        let file = read(path, for: pointer, surroundings.files)
        files[key] = .some(file)
        return file
    }

    private func read(
        _ path: FilePath,
        for pointer: JSONPointer,
        _ access: FileReader
    ) -> AddressFile? {
        let text: [UInt8]
        do throws(FileContents.Failure) {
            text = try access.read(path, upTo: bytesLeft)
        } catch {
            problems.report(pointer, "\(path.string.quoted) \(error.text(of: "list"))")
            return nil
        }
        guard text.count <= bytesLeft else {
            problems.report(
                pointer,
                "the files of allow and deny are larger than \(Self.byteLimit >> 20) MiB together;"
                    + " make them smaller"
            )
            return nil
        }
        bytesLeft -= text.count
        var lines = AddressLines(text, upTo: entriesLeft)
        if !lines.problems.isEmpty {
            let index = problems.addFile(path.string)
            for problem in lines.problems {
                problems.report(
                    pointer,
                    at: SourcePosition(line: problem.line, column: problem.column, file: index),
                    problem.reason
                )
            }
            return nil
        }
        guard lines.entryCount <= entriesLeft else {
            problems.report(
                pointer,
                "the files of allow and deny have more than \(Self.entryLimit) blocks together;"
                    + " remove some, or merge neighbors"
            )
            return nil
        }
        entriesLeft -= lines.entryCount
        return AddressFile(
            path: AbsolutePath.of(path.lexicallyNormalized().string),
            entryCount: lines.entryCount,
            addresses: lines.addresses()
        )
    }
}

extension AddressFile {
    package static let keys = KeyTable([
        Key(required: "file", .text),
        Key("entries", .integer(0...AddressFileReader.entryLimit)),
        Key("hash", .text),
    ])
}

extension AddressList {
    /// The form of `allow` and `deny`.
    static func form(isEmptyAllowed: Bool) -> ValueForm {
        .listOrOne(of: .textOr(AddressFile.keys), isEmptyAllowed: isEmptyAllowed)
    }

    /// Reads a list, or returns `nil` if the key is absent or its value has the wrong form.
    init?(_ object: ObjectReader, _ key: String, _ files: AddressFileReader) {
        guard let elements = object.listOrOne(key) else { return nil }
        self.init()
        for element in elements {
            do throws(InvalidValue) {
                switch element.value.content {
                case .string(let text): self.elements.append(.block(try AddressPrefix(text)))
                case .object:
                    let reader = ObjectReader(
                        element.value,
                        AddressFile.keys,
                        at: element.pointer,
                        problems: object.problems
                    )
                    if let file = files.file(reader) { self.elements.append(.file(file)) }
                case let other:
                    throw InvalidValue(
                        "must be a string, or an object with the key \"file\", not \(other)"
                    )
                }
            } catch {
                object.problems.report(element.pointer, error.reason)
            }
        }
    }
}
