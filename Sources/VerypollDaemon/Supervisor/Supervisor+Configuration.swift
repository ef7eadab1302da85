#if Net && OSExt
internal import Logging
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import VerypollControl

// What operators ask about the configuration.

extension Supervisor {
    func checkConfiguration(text: String) throws(VarlinkError) -> ChangeList {
        do throws(ConfigurationError) {
            let checked = try Configuration(
                parsing: Array(text.utf8),
                file: "",
                descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
            )
            return ChangeList(changes: loaded.configuration.changes(to: checked))
        } catch {
            throw .configurationInvalid(error.reported)
        }
    }

    func configuration() -> EffectiveConfiguration {
        EffectiveConfiguration(config: loaded.configuration.effective, path: loaded.path)
    }

    /// The least level that is logged; that of one logger is that of all.
    var logLevel: Logger.Level { logger.logLevel }

    func setLogLevel(_ level: Int) {
        setLogLevel(Logger.Level(priority: level))
    }

    func setLogLevel(_ level: Logger.Level) {
        let former = logger.logLevel
        var logger = logger
        logger.logLevel = level
        guard logger.logLevel != former else { return }
        logger.notice("the log level is \(logger.logLevel) now, no more \(former)")
    }
}
#endif
