import Foundation
import FoundationNetworking
import SystemPackage
import TestSupport
import Testing

@Suite("Foundation's client and the async-http example")
struct FoundationClientTests {
    @Test("URLSession gets a page, and gets back what it posts, over connections that stay open")
    func getsAndPosts() async throws {
        let server = try Program("async-http", ["127.0.0.1:0", "2"])
        let port = try portOfGreeting(of: server)
        let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
        let session = URLSession(configuration: .ephemeral)
        defer { session.finishTasksAndInvalidate() }
        let (page, response) = try await session.data(from: url)
        #expect((response as? HTTPURLResponse)?.statusCode == 200)
        #expect(page == Data("hello, world\n".utf8))
        for byteCount in [0, 1, 1_000, 65_536] {
            var request = URLRequest(url: url.appendingPathComponent("echo"))
            request.httpMethod = "POST"
            let body = Data((0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            let (echo, _) = try await session.upload(for: request, from: body)
            #expect(echo == body)
        }
    }
}
