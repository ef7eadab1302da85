internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl

/// How the text of a configuration is checked that somebody has sent.
struct ConfigurationCheck: Sendable {
    /// The configuration that is in effect.
    let present: Configuration
    /// How many descriptors the daemon can have.
    let descriptorLimit: Int

    /// The changes that loading the text would make.
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
