import Testing

@testable import VerypollServer

@Suite("SessionStory")
struct SessionStoryTests {
    @Test("the line of a plain session has its client, listener, bytes, time and end")
    func plain() {
        let story = SessionStory(
            reason: "both ways ended",
            closer: .client,
            peer: "192.0.2.7:4711",
            listener: "echo",
            bytesIn: 5,
            bytesOut: 5,
            duration: 12
        )
        let expected = """
            session ended: both ways ended; 192.0.2.7:4711 -> echo, 5 bytes in, 5 bytes out, \
            12 ms, client closed first
            """
        #expect(story.message == expected)
    }

    @Test("the line of a proxied session has everything that its server has cost")
    func proxied() {
        let story = SessionStory(
            reason: "the server's connection failed: Connection reset by peer",
            closer: .server,
            peer: "192.0.2.7:4711",
            sender: "10.0.0.2:3300",
            listener: "web",
            upstream: "app",
            server: "10.0.0.5:80",
            bytesIn: 1234,
            bytesOut: 0,
            duration: 65_007,
            connectTime: 1_042,
            queueTime: 1_200,
            retryCount: 2,
            restartCount: 1
        )
        let expected = """
            session ended: the server's connection failed: Connection reset by peer; \
            192.0.2.7:4711 via 10.0.0.2:3300 -> web -> app/10.0.0.5:80, 1234 bytes in, \
            0 bytes out, 65.007 s, connect 1.042 ms, queue 1.200 s, 2 retries, \
            kept over 1 restart, server closed first
            """
        #expect(story.message == expected)
    }

    @Test("a session that got no server has an upstream and no server")
    func noServer() {
        let story = SessionStory(
            reason: "no server is up",
            closer: .daemon,
            peer: "192.0.2.7:4711",
            listener: "web",
            upstream: "app"
        )
        #expect(story.message.contains("-> web -> app, 0 bytes in"))
        #expect(story.message.hasSuffix("daemon closed first"))
    }
}
