internal import Console
internal import Glibc
internal import SystemPackage

/// The variables that a configuration can name: credentials and the environment.
package struct Variables: Sendable {
    /// The maximum size of a value, in bytes.
    static let byteLimit = 64 << 10

    /// A value and its source.
    struct Value {
        let text: String
        /// Whether the value is a credential, which the daemon does not show.
        let isSecret: Bool
    }

    /// The variables that override those of the process.
    private let values: [String: String]
    /// Whether the process's environment counts too.
    private let hasEnvironment: Bool
    /// The directory of the credentials, or `nil` if there is none.
    private let credentials: FilePath?

    /// The variables of the process: its environment, and the credentials in
    /// `$CREDENTIALS_DIRECTORY`.
    ///
    /// - Parameter values: Variables of the environment that override those of the process.
    /// - Returns: The variables.
    package static func ofProcess(overriding values: [String: String] = [:]) -> Variables {
        Variables(values: values, hasEnvironment: true)
    }

    /// Makes variables from values alone; `CREDENTIALS_DIRECTORY` is one of them.
    package init(values: [String: String]) {
        self.init(values: values, hasEnvironment: false)
    }

    private init(values: [String: String], hasEnvironment: Bool) {
        self.values = values
        self.hasEnvironment = hasEnvironment
        let name = "CREDENTIALS_DIRECTORY"
        let own = hasEnvironment ? try? Self.environmentText(name) : nil
        let directory = values[name] ?? own ?? ""
        credentials = directory.isEmpty ? nil : FilePath(directory)
    }

    /// Returns the value of a variable: the credential with its name or, without one, the variable
    /// of the environment.
    ///
    /// A line end at the end of a credential is dropped.
    ///
    /// - Parameters:
    ///   - name: A valid name.
    ///   - files: Reads the credential.
    /// - Returns: The value, or `nil` if there is none.
    /// - Throws: If the value is not text or is too large, or if the credential can't be read.
    func value(of name: String, files: FileReader) throws(InvalidValue) -> Value? {
        if let secret = try credential(name, files: files) {
            return Value(text: secret, isSecret: true)
        }
        var text = values[name]
        if text == nil, hasEnvironment { text = try Self.environmentText(name) }
        if let text, text.utf8.count > Self.byteLimit { throw Self.tooLarge(name) }
        return text.map { Value(text: $0, isSecret: false) }
    }

    private func credential(_ name: String, files: FileReader) throws(InvalidValue) -> String? {
        guard let path = credentials?.appending(name) else { return nil }
        var bytes: [UInt8]
        do throws(FileContents.Failure) {
            bytes = try files.read(path, upTo: Self.byteLimit)
        } catch .system(.noSuchFileOrDirectory) {
            return nil
        } catch {
            throw InvalidValue("the credential \(name.quoted) \(error.text(of: "credential"))")
        }
        guard bytes.count <= Self.byteLimit else { throw Self.tooLarge(name) }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.notText(name) }
        return text
    }

    private static func environmentText(_ name: String) throws(InvalidValue) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        guard let text = unsafe String(validatingCString: value) else { throw notText(name) }
        return text
    }

    private static func notText(_ name: String) -> InvalidValue {
        InvalidValue("the value of \(name.quoted) is not UTF-8 text; use text")
    }

    private static func tooLarge(_ name: String) -> InvalidValue {
        InvalidValue("the value of \(name.quoted) is larger than 64 KiB; make it smaller")
    }
}
