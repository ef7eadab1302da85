package import Logging
internal import StrictJSON
package import SystemPackage
internal import Verypoll

/// The checked configuration of verypolld, with every default filled in.
///
/// Two configurations are equal if they have the same meaning.
package struct Configuration: Equatable, Sendable {
    /// The number of workers that serve the sessions.
    package var workers: Int

    /// The control socket.
    package var control: Control

    /// The limits of the whole daemon.
    package var limits: Limits

    /// How the daemon stops.
    package var drain: Drain

    /// The settings of a restart.
    package var restart: Restart

    /// The time without a session after which the daemon exits, or `nil` for never.
    package var exitOnIdle: Duration?

    /// The settings of the log.
    package var log: Log

    /// The listeners, in the order of the file.
    package var listeners: [ListenerConfiguration]

    /// The upstreams, in the order of the file.
    package var upstreams: [UpstreamConfiguration]

    /// The files that were read, by the index in a ``SourcePosition``; the first is the main file.
    package var files = Uncompared<[String]>([])

    /// The credentials that are not shown.
    var concealment = Uncompared(Concealment())

    /// The socket over which the daemon is controlled.
    package struct Control: Equatable, Sendable {
        /// The path of the socket, or `nil` for the default; see `FilePath.defaultControlSocket`.
        package var socket: FilePath?
        /// The permissions of the socket's file.
        package var mode: FilePermissions
        /// The group of the socket's file, or `nil` for the daemon's own.
        package var group: String?
    }

    /// How the daemon stops.
    package struct Drain: Equatable, Sendable {
        /// The longest time that open sessions may continue when the daemon stops or a listener
        /// drains.
        package var deadline: Duration
    }

    /// The settings of a restart.
    package struct Restart: Equatable, Sendable {
        /// Whether open sessions are handed to the next process, as listening sockets always are.
        package var keepSessions: Bool
    }

    /// The settings of the log.
    package struct Log: Equatable, Sendable {
        /// The lowest level that is logged.
        package var level: Logger.Level
        /// Whether the end of each session is logged.
        package var sessions: Bool
        /// The format of the log on standard error; the journal has fields in any case.
        package var format: Format

        /// The format of the log on standard error.
        package enum Format: String, CaseIterable, Sendable {
            /// Lines for people.
            case text
            /// A JSON object on each line.
            case json
        }
    }
}

// MARK: - Reading

extension Configuration {
    package static let keys = KeyTable([
        Key("$schema", .ignored),
        Key("include", .listOrOne(of: .text)),
        Key("workers", .integerOr("auto", 1...1024), default: "auto"),
        Key("control", .object(Control.keys)),
        Key("limits", .object(Limits.keys)),
        Key("drain", .object(Drain.keys)),
        Key("restart", .object(Restart.keys)),
        Key("exitOnIdle", .spanOrOff(.seconds(1) ... .longest), default: "off"),
        Key("log", .object(Log.keys)),
        Key(required: "listeners", .named(ListenerConfiguration.keys, isEmptyAllowed: false)),
        Key("upstreams", .named(UpstreamConfiguration.keys, isEmptyAllowed: true)),
    ])

    init(_ object: ObjectReader, descriptorLimit: Int, files: AddressFileReader) {
        var claims = AddressClaims(problems: object.problems)
        workers = object.optionalInteger("workers") ?? ProcessorCount.available()
        control = Control(object.object("control"), claims: &claims)
        drain = Drain(object.object("drain"))
        restart = Restart(object.object("restart"))
        exitOnIdle = object.optionalSpan("exitOnIdle")
        log = Log(object.object("log"))
        var listeners: [ListenerConfiguration] = []
        for listener in object.objects("listeners") {
            listeners.append(ListenerConfiguration(listener, claims: &claims, files: files))
        }
        self.listeners = listeners
        upstreams = object.objects("upstreams").map(UpstreamConfiguration.init)
        let budget = Limits.sessionBudget(
            descriptorLimit: descriptorLimit,
            workers: workers,
            listeners: listeners,
            upstreams: upstreams
        )
        let pipesPerWorker = Limits.pipesPerWorker(
            descriptorLimit: descriptorLimit,
            workers: workers,
            listeners: listeners
        )
        limits = Limits(
            object.object("limits"),
            budget: budget,
            pipesPerWorker: pipesPerWorker,
            descriptorLimit: descriptorLimit
        )
    }
}

extension Configuration.Control {
    package static let keys = KeyTable([
        Key("socket", .text),
        Key("mode", .text, default: "0660"),
        Key("group", .text),
    ])

    package init(_ object: ObjectReader, claims: inout AddressClaims) {
        socket = object.text("socket", as: UnixAddress.socketPath(_:))
        mode = object.text("mode", as: FilePermissions.init(octal:)) ?? []
        group = object.text("group", as: AccountName.checkGroup)
        if let socket {
            claims.claim(.unix(.path(socket)), of: nil, for: object.pointer / "socket")
        }
    }
}

extension Configuration.Drain {
    package static let keys = KeyTable([
        Key("deadline", .span(.zero ... .longest), default: "30s")
    ])

    init(_ object: ObjectReader) {
        deadline = object.span("deadline")
    }
}

extension Configuration.Restart {
    package static let keys = KeyTable([
        Key("keepSessions", .boolean, default: false)
    ])

    init(_ object: ObjectReader) {
        keepSessions = object.boolean("keepSessions")
    }
}

extension Configuration.Log {
    package static let keys = KeyTable([
        Key("level", .choice(of: Logger.Level.self), default: "info"),
        Key("sessions", .boolean, default: false),
        Key("format", .choice(of: Format.self), default: "text"),
    ])

    init(_ object: ObjectReader) {
        level = object.word("level")
        sessions = object.boolean("sessions")
        format = object.word("format")
    }
}
