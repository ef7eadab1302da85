#if Net && OSExt
internal import VerypollControl

// What those are told who monitor the daemon.

extension Supervisor {
    func beginMonitoring() -> Status {
        // First, so that no session falls between the present and the events.
        sessionEvents.areWanted = true
        let status = status()
        monitoring.begin(with: status)
        return status
    }

    /// How long sessions gather, so that each does not take a turn of this thread, which may share
    /// the session's processor.
    static let sessionDelay = Duration.milliseconds(100)

    /// Tells of the sessions that have begun and ended, if it is time.
    func announceSessions(now: ContinuousClock.Instant) {
        guard let due = sessionsAreDueAt, due <= now else { return }
        sessionsAreDueAt = nil
        let gathered = sessionEvents.takeAll()
        guard control.monitorCount > 0 else { return }
        var events = gathered.events.map { gathered in
            var event = MonitorEvent(
                gathered.reason == nil ? .sessionOpened : .sessionClosed,
                timestampUSec: gathered.timestamp
            )
            event.session = gathered.session
            event.reason = gathered.reason
            return event
        }
        if gathered.lostCount > 0 {
            var event = MonitorEvent(.lost, timestampUSec: WallClock.microseconds())
            event.count = gathered.lostCount
            events.append(event)
        }
        control.tell(events)
    }

    /// Tells that the configuration was loaded again; this may be called within a call.
    func announceReload(_ changes: [ConfigurationChange]) {
        monitoring.noteReload(changes)
    }

    /// Tells of listeners and servers that are not as before, if it is time to look at them.
    func announceChanges(now: ContinuousClock.Instant) {
        control.tell(monitoring.takeReloads())
        guard let due = monitoring.dueAt, due <= now else { return }
        guard control.monitorCount > 0 else {
            sessionEvents.areWanted = false
            return monitoring.end()
        }
        control.tell(monitoring.look(at: listeners(), upstreams(), now: now))
    }
}
#endif
