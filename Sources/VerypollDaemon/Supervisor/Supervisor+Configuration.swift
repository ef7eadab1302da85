internal import Logging
internal import SystemPackage
internal import Systemd
internal import Varlink
internal import VerypollConfiguration
internal import VerypollControl
internal import VerypollServer

// What operators ask about the configuration.

extension Supervisor {
    func configurationCheck() -> ControlJob.Check {
        let check = ConfigurationCheck(
            present: loaded.configuration,
            descriptorLimit: (try? DescriptorLimit.soft()) ?? 0
        )
        return { text throws(VarlinkError) in try check.changes(in: text) }
    }

    func start(_ job: ControlJob) {
        // One job at a time, so there is room for it.
        _ = controlThread.add { [mailbox] in mailbox.postWhenRoom(.controlJob(job.run())) }
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
