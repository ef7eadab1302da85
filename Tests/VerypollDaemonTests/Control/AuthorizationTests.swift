import Testing
import Verypoll

@testable import StrictJSON
@testable import VerypollConfiguration
@testable import VerypollDaemon
@testable import VerypollServer

@Suite("Authorization")
struct AuthorizationTests {
    private let authorization = Authorization(daemonUser: 990, group: 980)

    private func permission(user: UInt32, group: UInt32, groups: [UInt32] = []) -> Permission {
        authorization.permission(
            for: PeerCredentials(processID: 1, userID: user, groupID: group),
            groups: groups
        )
    }

    @Test("root and the daemon's own user may do everything")
    func permitsAll() {
        #expect(permission(user: 0, group: 0) == .all)
        #expect(permission(user: 990, group: 1000) == .all)
    }

    @Test("members of the socket's group may operate, through any of their groups")
    func permitsGroup() {
        #expect(permission(user: 1000, group: 980) == .operate)
        #expect(permission(user: 1000, group: 1000, groups: [4, 980]) == .operate)
    }

    @Test("everyone else may read, even if the socket has no group")
    func permitsOthers() {
        #expect(permission(user: 1000, group: 1000, groups: [4, 27]) == .read)
        let groupless = Authorization(daemonUser: 990, group: nil)
        let peer = PeerCredentials(processID: 1, userID: 1000, groupID: 980)
        #expect(groupless.permission(for: peer, groups: [980]) == .read)
    }

    @Test("the overflow user and group IDs never count as owner or member")
    func ignoresUnknown() {
        let stranger = PeerCredentials(processID: 1, userID: 65_534, groupID: 65_534)
        let unmapped = Authorization(daemonUser: 65_534, group: 65_534)
        #expect(unmapped.permission(for: stranger, groups: [65_534]) == .read)
    }

    @Test("each permission includes the lower ones")
    func orders() {
        #expect(Permission.read < .operate)
        #expect(Permission.operate < .all)
    }
}
