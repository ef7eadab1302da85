internal import Synchronization

extension Listener {
    /// Returns whether a recorded session can go on under this listener.
    func canTake(_ record: SessionRecord) -> Bool {
        guard service.rawValue == record.service,
            let inspection = Session.Inspection(rawValue: record.inspection)
        else { return false }
        if inspection != .none { return inspection.isPossible(with: router) }
        return upstreams.isEmpty == (record.route == nil)
    }
}

extension SessionLimiter {
    /// Counts a session that began before this limiter was made, regardless of the limit.
    func force() {
        places.add(1, ordering: .sequentiallyConsistent)
        commit()
    }
}
