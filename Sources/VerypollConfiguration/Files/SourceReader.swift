internal import Console
internal import StrictJSON
internal import SystemPackage

/// Merges the text of a configuration with the files that it includes.
///
/// Each top-level key is in one file, except `listeners` and `upstreams`, whose members are merged.
/// The positions of values name their files. Included files cannot include others.
struct SourceReader {
    /// The most files that a configuration can include.
    static let fileLimit = 1000

    /// The top-level keys whose members are merged.
    private static let mergedKeys = ["listeners", "upstreams"]

    private let problems: ProblemList
    private let surroundings: Surroundings?
    private var substitution: Substitution
    /// The members of all files, and those of the merged keys.
    private var root = JSONObject()
    private var groups: [String: JSONObject] = [:]
    private var byteCount = 0
    private(set) var fileCount = 0

    /// Makes a reader that reports its problems.
    ///
    /// - Parameters:
    ///   - surroundings: The files and variables; `nil` for a text that can name neither.
    ///   - problems: The list to which problems are reported; its first file is that of the text.
    init(_ surroundings: Surroundings?, problems: ProblemList) {
        self.surroundings = surroundings
        self.problems = problems
        substitution = Substitution(surroundings, problems: problems)
    }

    /// Parses a text, and merges it with the files that it includes.
    ///
    /// - Throws: The problems, if the text or an included file cannot be parsed.
    mutating func document(of text: [UInt8]) throws(ConfigurationError) -> JSONValue {
        let file = problems.files[0]
        guard text.count <= Configuration.maximumByteCount else {
            throw ConfigurationError(file: file, "\(Self.tooLarge); make it smaller")
        }
        byteCount = text.count
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: text)
        } catch {
            throw ConfigurationError(file: file, position: error.position, error.message)
        }
        problems.root = document.root
        problems.reportDuplicates(in: document)
        let value = substitution.apply(to: document.root)
        problems.root = value
        guard case .object(let object) = value.content else { return value }
        merge(object)
        if let include = object["include"] { try readFiles(includedBy: include.value) }
        let members = root.members.map { member in
            groups[member.key].map { JSONValue(.object($0), at: member.value.position) }
                ?? member.value
        }
        return JSONValue(.object(JSONObject(root, values: members)), at: value.position)
    }

    private static var tooLarge: String {
        "is larger than \(Configuration.maximumByteCount >> 20) MiB"
    }
}

// MARK: - Included files

extension SourceReader {
    private mutating func readFiles(includedBy value: JSONValue) throws(ConfigurationError) {
        let pointer = JSONPointer(["include"])
        var isComplete = true
        // The main file may match one of its own patterns.
        var known: Set<FilePath> = [FilePath(problems.files[0]).lexicallyNormalized()]
        for (place, pattern) in patterns(in: value, at: pointer) {
            guard let surroundings else {
                problems.report(
                    place,
                    "files can't be included in a text that a client sends; check the file with"
                        + " verypollctl config check FILE"
                )
                return
            }
            do throws(InvalidValue) {
                for path in try paths(matching: pattern, surroundings.files)
                where known.insert(path.lexicallyNormalized()).inserted {
                    fileCount += 1
                    guard fileCount <= Self.fileLimit else {
                        throw InvalidValue(
                            "more than \(Self.fileLimit) files are included; merge some of them"
                        )
                    }
                    isComplete = read(path, from: place, surroundings.files) && isComplete
                }
            } catch {
                problems.report(place, error.reason)
                isComplete = false
            }
        }
        // A missing part of the configuration would cause misleading problems.
        if !isComplete { try problems.throwIfAny() }
    }

    /// Returns the patterns and their places.
    private func patterns(
        in value: JSONValue,
        at pointer: JSONPointer
    ) -> [(JSONPointer, String)] {
        let elements: [(JSONPointer, JSONValue)] =
            value.array.map { list in
                list.enumerated().map { (pointer / $0.offset, $0.element) }
            } ?? [(pointer, value)]
        return elements.compactMap { place, element in
            do throws(InvalidValue) {
                return (place, try ValueForm.text.text(element.content))
            } catch {
                problems.report(place, error.reason)
                return nil
            }
        }
    }

    /// Returns the files that a pattern names.
    private func paths(
        matching pattern: String,
        _ files: FileReader
    ) throws(InvalidValue) -> [FilePath] {
        let path = FilePath(problems.files[0]).sibling(pattern)
        guard let name = path.lastComponent?.string, !pattern.hasSuffix("/") else {
            throw InvalidValue(
                "\(pattern.quoted) names no file; write one such as \"conf.d/*.json\""
            )
        }
        let directory = path.removingLastComponent()
        let isWildcard = { (text: String) in text.contains { "*?[".contains($0) } }
        guard !isWildcard(FilePath(pattern).removingLastComponent().string) else {
            throw InvalidValue(
                "\(pattern.quoted) has a wildcard in the name of a directory; write wildcards only"
                    + " after the last slash"
            )
        }
        guard isWildcard(name) else { return [path] }
        do throws(Errno) {
            return try files.names(
                in: directory.string.isEmpty ? "." : directory,
                matching: name,
                upTo: Self.fileLimit
            ).map { directory.appending($0) }
        } catch .fileTooLarge {
            throw InvalidValue(
                "\(pattern.quoted) matches too many files; include at most \(Self.fileLimit)"
            )
        } catch {
            throw InvalidValue(
                "\(pattern.quoted): \(FileContents.Failure.system(error).text(of: "directory"))"
            )
        }
    }

    /// Reads and merges a file.
    ///
    /// - Returns: Whether the file was parsed.
    private mutating func read(_ path: FilePath, from place: JSONPointer, _ files: FileReader)
        -> Bool
    {
        let text: [UInt8]
        let left = Configuration.maximumByteCount - byteCount
        do throws(FileContents.Failure) {
            text = try files.read(path, upTo: left)
        } catch .system(.noSuchFileOrDirectory) {
            problems.report(
                place,
                "\(path.string.quoted) doesn't exist; write the file, or remove its name"
            )
            return false
        } catch {
            problems.report(
                file: problems.addFile(path.string),
                error.text(of: "included configuration")
            )
            return false
        }
        let index = problems.addFile(path.string)
        byteCount += text.count
        guard text.count <= left else {
            problems.report(
                file: index,
                "\(Self.tooLarge) together with the files before it; make the configuration smaller"
            )
            return false
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: text, file: index)
        } catch {
            problems.report(.root, at: error.position, error.message)
            return false
        }
        problems.reportDuplicates(in: document)
        let value = substitution.apply(to: document.root)
        guard case .object(let object) = value.content else {
            problems.report(.root, at: value.position, "must be an object, not \(value.content)")
            return false
        }
        if let include = object["include"] {
            problems.report(
                JSONPointer(["include"]),
                at: include.position,
                "an included file can't include others; move this to \"include\" of"
                    + " \(problems.files[0])"
            )
        }
        merge(object)
        return true
    }
}

// MARK: - Merging

extension SourceReader {
    private mutating func merge(_ object: JSONObject) {
        for member in object.members where fileCount == 0 || member.key != "include" {
            if let first = root.add(member) {
                merge(member, into: first)
            } else if Self.mergedKeys.contains(member.key),
                case .object(let group) = member.value.content
            {
                groups[member.key] = group
            }
        }
    }

    /// Merges a member with the member of another file that has the same key.
    private mutating func merge(_ member: JSONObject.Member, into first: JSONObject.Member) {
        let pointer = JSONPointer([member.key])
        if member.key == "$schema" { return }
        guard groups[member.key] != nil else {
            return problems.reportDuplicate(pointer, at: member.position, of: first.position)
        }
        guard case .object(let group) = member.value.content else {
            return problems.report(
                pointer,
                at: member.value.position,
                "must be an object, not \(member.value.content)"
            )
        }
        for named in group.members {
            guard let other = groups[member.key]?.add(named) else { continue }
            problems.reportDuplicate(pointer / named.key, at: named.position, of: other.position)
        }
    }
}

extension FilePath {
    /// Returns the path of a file whose name is relative to the directory of this file.
    func sibling(_ name: String) -> FilePath {
        let path = FilePath(name)
        return path.isAbsolute ? path : removingLastComponent().pushing(path)
    }
}
