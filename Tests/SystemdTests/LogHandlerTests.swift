import Glibc
import Logging
import SystemPackage
import TestSupport
import Testing

@testable import StrictJSON
@testable import Systemd

@Suite("Log handlers")
struct LogHandlerTests {
    private struct Refusal: Error, CustomStringConvertible {
        let description = "no such thing"
    }

    /// Logs to a pipe and returns the lines that were written.
    private func lines(
        _ lineStart: StandardErrorLogHandler.LineStart,
        threshold: LogThreshold = LogThreshold(.trace),
        format: LogFormat = LogFormat(),
        _ body: (Logger) -> Void
    ) throws -> [String] {
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        let handler = StandardErrorLogHandler(
            lineStart: lineStart,
            threshold: threshold,
            format: format,
            output: pipe.writeEnd
        )
        body(Logger(label: "test") { _ in handler })
        try pipe.writeEnd.close()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe try buffer.withUnsafeMutableBytes { bytes in
            unsafe try pipe.readEnd.read(into: bytes)
        }
        try pipe.readEnd.close()
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    @Test("a plain line has the time, the level, the message and the metadata sorted by key")
    func formats() throws {
        let said = try lines(.timeAndLevel) { logger in
            logger.warning("listener pauses", metadata: ["peer": "::1", "listener": "web"])
        }
        let line = try #require(said.first)
        let time = try #require(line.split(separator: " ").first)
        #expect(try time.wholeMatch(of: Regex(#"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"#)) != nil)
        #expect(line == "\(time) warning listener pauses listener=web peer=::1")
        #expect(said.count == 1)
    }

    @Test(
        "a line for the journal begins with its priority number",
        arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2])
    )
    func prefixes(level: Logger.Level, priority: Int) throws {
        #expect(try lines(.priority) { $0.log(level: level, "hello") } == ["<\(priority)>hello"])
    }

    @Test("an event stays one line without control characters, whatever input it contains")
    func escapes() throws {
        let said = try lines(.priority) { logger in
            logger.info(
                "a\nb\u{1B}[31m",
                metadata: ["x": "two words", "y": "say \"hi\"\r\n", "z": ""]
            )
        }
        #expect(said == [#"<6>a\u000Ab\u001B[31m x="two words" y="say \"hi\"\u000D\u000A" z="""#])
    }

    @Test("an error is logged as metadata, and an event's metadata precede the logger's")
    func merges() throws {
        let said = try lines(.priority) { logger in
            var logger = logger
            logger[metadataKey: "listener"] = "web"
            logger[metadataKey: "worker"] = "1"
            logger.error("failed", error: Refusal(), metadata: ["listener": "mail"])
        }
        #expect(said == [#"<3>failed error="no such thing" listener=mail worker=1"#])
    }

    @Test("in JSON, each event is an object with its time, level, message, identifier and fields")
    func formatsJSON() throws {
        let said = try lines(.timeAndLevel, format: LogFormat(isJSON: true)) { logger in
            logger.notice(
                "a \"quoted\"\nmessage",
                metadata: [
                    MetadataKey.messageID: "0f1e2d3c", "bytesIn": .stringConvertible(12),
                    "peer": "::1", "isOpen": .stringConvertible(true), "server": "123",
                ]
            )
        }
        let line = try #require(said.first)
        let parsed = try JSONDocument(parsing: Array(line.utf8)).root
        let time = try #require(parsed["timestamp"]?.string)
        #expect(
            try time.wholeMatch(of: Regex(#"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"#)) != nil
        )
        let expected = #"""
            {"timestamp":"\#(time)","level":"notice","message":"a \"quoted\"\\u000Amessage",\#
            "message_id":"0f1e2d3c","fields":{"bytes_in":12,"is_open":true,"peer":"::1",\#
            "server":"123"}}
            """#
        #expect(line == expected)
        #expect(said.count == 1)
    }

    @Test("changing the format affects existing loggers")
    func switchesFormat() throws {
        let format = LogFormat()
        let said = try lines(.priority, format: format) { logger in
            logger.info("1")
            format.isJSON = true
            logger.info("2")
            format.isJSON = false
            logger.info("3")
        }
        #expect(said.first == "<6>1")
        #expect(said[1].hasSuffix(#""level":"info","message":"2","fields":{}}"#))
        #expect(said.last == "<6>3")
    }

    @Test("a time has as many zeros as RFC 3339 demands")
    func tellsTime() {
        let moment = Timestamp(seconds: 1_700_000_000, microseconds: 250)
        #expect(moment.text == "2023-11-14T22:13:20.000250Z")
        #expect(moment.textInSeconds == "2023-11-14T22:13:20Z")
    }

    @Test("changing the log level affects existing loggers")
    func follows() throws {
        let threshold = LogThreshold(.info)
        let said = try lines(.priority, threshold: threshold) { logger in
            let copy = logger
            logger.debug("1")
            threshold.level = .debug
            copy.debug("2")
            threshold.level = .error
            copy.warning("3")
            logger.error("4")
        }
        #expect(said == ["<7>2", "<3>4"])
    }

    @Test("a journal entry has the message, priority, identifier and metadata as fields")
    func enters() {
        var handler = JournalLogHandler(identifier: "verypolld", threshold: LogThreshold(.trace))
        handler.metadata = ["worker": "3"]
        let event = LogEvent(
            level: .notice,
            message: "opened\na session",
            metadata: ["session": "42", "listener": "web"],
            source: nil,
            file: #file,
            function: #function,
            line: #line
        )
        #expect(
            handler.entry(for: event) == [
                "MESSAGE=opened\\u000Aa session", "PRIORITY=5", "SYSLOG_IDENTIFIER=verypolld",
                "VERYPOLL_LISTENER=web", "VERYPOLL_SESSION=42", "VERYPOLL_WORKER=3",
            ]
        )
    }

    @Test("an event's ID becomes the journal's MESSAGE_ID and does not appear in plain lines")
    func identifies() throws {
        let handler = JournalLogHandler(identifier: "verypolld", threshold: LogThreshold(.trace))
        let metadata: Logger.Metadata = [MetadataKey.messageID: "0f1e2d3c", "listener": "web"]
        let event = LogEvent(
            level: .info,
            message: "opened",
            metadata: metadata,
            source: nil,
            file: #file,
            function: #function,
            line: #line
        )
        let fields = handler.entry(for: event)
        #expect(fields.contains("MESSAGE_ID=0f1e2d3c"))
        #expect(!fields.contains { $0.hasPrefix("VERYPOLL_MESSAGE") })

        let said = try lines(.priority) { $0.info("opened", metadata: metadata) }
        #expect(said == ["<6>opened listener=web"])
    }

    @Test(
        "a metadata key becomes a valid journal field name",
        arguments: [
            ("peer", "VERYPOLL_PEER"), ("bytesIn", "VERYPOLL_BYTES_IN"),
            ("peerIP", "VERYPOLL_PEER_IP"), ("a-b.c", "VERYPOLL_A_B_C"),
            ("größe", "VERYPOLL_GR__E"), ("ipv6Only", "VERYPOLL_IPV6_ONLY"),
        ]
    )
    func names(key: String, field: String) {
        #expect(fieldName(for: key) == field)
        #expect(fieldName(for: key + String(repeating: "x", count: 80)).utf8.count == 64)
    }

    @Test("standard error is the journal only if it is the very file that JOURNAL_STREAM names")
    func chooses() throws {
        let pipe = try FileDescriptor.pipe(options: .closeOnExec)
        defer {
            try? pipe.readEnd.close()
            try? pipe.writeEnd.close()
        }
        var status = stat()
        #expect(unsafe fstat(pipe.readEnd.rawValue, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(isSameFile(as: stream, pipe.readEnd.rawValue))
        #expect(!isSameFile(as: stream + "0", pipe.readEnd.rawValue))
        #expect(!isSameFile(as: stream, -1))
        let handler = LogDestination.journal.makeHandler(
            label: "test",
            threshold: LogThreshold(.info)
        )
        #expect(handler is JournalLogHandler)
    }
}
