internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl

/// Checks the text of a configuration that a client has sent.
struct ConfigurationCheck: Sendable {
    /// The configuration that is in effect.
    let present: Configuration
    /// The most descriptors that the daemon can open.
    let descriptorLimit: Int

    /// Returns the changes that loading the text would make.
    ///
    /// - Throws: ``VarlinkError/configurationInvalid(_:omitted:)``.
    func changes(in text: String) throws(VarlinkError) -> ChangeList {
        do throws(ConfigurationError) {
            let checked = try Configuration(
                parsing: Array(text.utf8),
                file: "",
                descriptorLimit: descriptorLimit
            )
            return ChangeList(changes: present.changes(to: checked))
        } catch {
            throw .configurationInvalid(error.reported, omitted: error.omittedCount)
        }
    }
}
