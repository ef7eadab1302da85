extension Configuration {
    /// The configuration of a daemon without a file: the text of config/default.json.
    package static let embeddedDefault = Array(
        """
        {
          "listeners": {
            "echo": {
              "listen": ["127.0.0.1:7007"],
              "handler": { "type": "echo" }
            }
          }
        }

        """.utf8
    )
}
