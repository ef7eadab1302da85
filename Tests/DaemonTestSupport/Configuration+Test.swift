package import VerypollConfiguration

extension Configuration {
    /// Makes a configuration with one worker and these members of `listeners` and `upstreams`.
    package static func test(
        listeners: String,
        upstreams: String = ""
    ) throws(ConfigurationError) -> Configuration {
        let text = """
            {
              "workers": 1, "limits": {"maxSessions": 10},
              "listeners": {\(listeners)}, "upstreams": {\(upstreams)}
            }
            """
        return try Configuration(parsing: Array(text.utf8), file: "test", descriptorLimit: 4096)
    }
}

extension UpstreamConfiguration {
    /// Makes an upstream with servers at these addresses and the defaults for everything else.
    package static func test(_ servers: [String]) throws -> UpstreamConfiguration {
        let list = servers.map { "\"\($0)\"" }.joined(separator: ", ")
        let configuration = try Configuration.test(
            listeners: #""echo": {"listen": ["127.0.0.1:0"], "handler": {"type": "echo"}}"#,
            upstreams: #""app": {"servers": [\#(list)]}"#
        )
        return configuration.upstreams[0]
    }
}
