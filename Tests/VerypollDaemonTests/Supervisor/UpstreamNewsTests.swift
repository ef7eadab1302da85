import Testing
import VerypollServer

@testable import VerypollDaemon

@Suite("UpstreamNews")
struct UpstreamNewsTests {
    @Test("all servers of a turn are in one message each for down and up, with the last state")
    func gathers() {
        var news = UpstreamNews()
        #expect(news.messages == [])
        let servers = (0..<5000).map { ServerIndex(upstream: 0, server: $0) }
        for server in servers { news.note([server], areDown: true) }
        #expect(news.messages == [.serversDown(Set(servers))])
        news.note([servers[0]], areDown: false)
        news.haveChanged = true
        let rest = Set(servers.dropFirst())
        #expect(news.messages == [.serversDown(rest), .serversUp([servers[0]]), .serversChanged])
        news.note([servers[0]], areDown: true)
        #expect(news.messages == [.serversDown(Set(servers)), .serversChanged])
    }
}
