// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

// The daemon and the async library need all traits. With this variable set, the package has no
// daemon; with the value "sync", it is the library `Verypoll` alone, which is how that is built and
// tested with other sets of traits.
let libraryOnly = Context.environment["VERYPOLL_LIBRARY_ONLY"]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
// Users of the library that leave out the trait `Daemon` do not fetch these packages.
let logging: Target.Dependency = .product(
    name: "Logging",
    package: "swift-log",
    condition: .when(traits: ["Daemon"])
)
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser",
    condition: .when(traits: ["Daemon"])
)

func example(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["Verypoll", system],
        path: "Examples/\(name)",
        swiftSettings: settings
    )
}

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

// MARK: The library, and programs that show how it is used

let library: [Target] = [
    .target(name: "CVerypoll"),
    target("Verypoll", ["CVerypoll", system]),

    example("accept-and-drop"),
    example("chat"),
    example("echo"),
    example("proxy"),
    example("systemd-sockets"),
    example("threads"),
    example("udp-echo"),
    example("vsock-echo"),

    .target(
        name: "TestSupport",
        dependencies: [system],
        path: "Tests/TestSupport",
        swiftSettings: settings
    ),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    tests(
        "VerypollTests",
        [
            "Verypoll", "TestSupport", "CTestSupport", "accept-and-drop", "chat", "echo", "proxy",
            "systemd-sockets", "threads", "udp-echo", "vsock-echo", system,
        ]
    ),
]

// MARK: The library for async/await, and programs that show how it is used

func asyncExample(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["VerypollAsync", "Verypoll", system],
        path: "Examples/\(name)",
        swiftSettings: settings
    )
}

let asyncSettings = settings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

let asyncLibrary: [Target] = [
    .target(
        name: "VerypollAsync",
        dependencies: ["Verypoll", system],
        swiftSettings: asyncSettings
    ),

    asyncExample("async-chat"),
    asyncExample("async-echo"),
    asyncExample("async-http"),
    asyncExample("async-proxy"),
    asyncExample("async-redis"),

    .testTarget(
        name: "VerypollAsyncTests",
        dependencies: [
            "VerypollAsync", "Verypoll", "TestSupport", "CTestSupport", "async-chat", "async-echo",
            "async-http", "async-proxy", "async-redis", system,
        ],
        swiftSettings: asyncSettings
    ),
]

// MARK: The daemon and its command

// In the order of the arrows: a target may depend on those before it.
let daemon: [Target] = [
    .systemLibrary(
        name: "CSystemd",
        pkgConfig: "libsystemd",
        providers: [.apt(["libsystemd-dev"])]
    ),
    .target(name: "CProcessStart"),
    target("Console", ["CProcessStart", system]),
    target("StrictJSON", ["Console"]),
    target("Systemd", ["CSystemd", "Console", "StrictJSON", system, logging]),
    target("Varlink", ["StrictJSON"]),
    .target(
        name: "VerypollControl",
        dependencies: ["StrictJSON", "Varlink"],
        resources: [.embedInCode("io.verypoll.Daemon.varlink")],
        swiftSettings: settings
    ),
    target(
        "VerypollConfiguration",
        [
            "CVerypoll", "Verypoll", "StrictJSON", "VerypollControl", "Console", system, logging,
        ]
    ),
    target(
        "VerypollServer",
        ["CVerypoll", "Verypoll", "VerypollConfiguration", "Console", system, logging]
    ),
    .target(
        name: "VerypollDaemon",
        dependencies: [
            "CVerypoll", "Verypoll", "Console", "Systemd", "StrictJSON", "Varlink",
            "VerypollControl", "VerypollConfiguration", "VerypollServer", system, logging,
        ],
        resources: [
            .embedInCode("Page/page.html"), .embedInCode("Page/page.css"),
            .embedInCode("Page/page.js"),
        ],
        swiftSettings: settings
    ),
    .executableTarget(
        name: "verypolld",
        dependencies: [
            "Console", "VerypollControl", "VerypollConfiguration", "VerypollServer",
            "VerypollDaemon", system, arguments, logging,
        ],
        swiftSettings: settings
    ),
    .executableTarget(
        name: "verypollctl",
        dependencies: [
            "Verypoll", "Console", "StrictJSON", "Varlink", "VerypollControl",
            "VerypollConfiguration", system, arguments,
        ],
        swiftSettings: settings
    ),
]

// A target per target, and SystemTests: the built programs under a real systemd.
let daemonTests: [Target] = [
    tests("ConsoleTests", ["Console"]),
    tests("SystemdTests", ["StrictJSON", "Systemd", "TestSupport", system, logging]),
    tests("StrictJSONTests", ["StrictJSON"]),
    tests("VarlinkTests", ["StrictJSON", "Varlink"]),
    tests("VerypollControlTests", ["StrictJSON", "VerypollControl", "Varlink"]),
    tests(
        "VerypollConfigurationTests",
        [
            "StrictJSON", "VerypollConfiguration", "VerypollControl", "Verypoll", "TestSupport",
            system, logging,
        ]
    ),
    .target(
        name: "DaemonTestSupport",
        dependencies: ["VerypollConfiguration", logging],
        path: "Tests/DaemonTestSupport",
        swiftSettings: settings
    ),
    tests(
        "VerypollServerTests",
        [
            "VerypollServer", "VerypollConfiguration", "Verypoll", "DaemonTestSupport",
            "TestSupport", "CTestSupport", system, logging,
        ]
    ),
    tests(
        "VerypollDaemonTests",
        [
            "StrictJSON", "VerypollConfiguration", "VerypollServer", "VerypollDaemon",
            "VerypollControl", "Varlink", "Systemd", "Verypoll", "DaemonTestSupport", "TestSupport",
            "CTestSupport", "verypolld", system, logging,
        ]
    ),
    tests(
        "VerypollctlTests",
        [
            "verypollctl", "verypolld", "StrictJSON", "VerypollConfiguration", "VerypollServer",
            "VerypollDaemon", "VerypollControl", "Varlink", "Verypoll", "Console", "TestSupport",
            system,
        ]
    ),
    tests(
        "SystemTests",
        ["TestSupport", "VerypollDaemon", "VerypollServer", "verypolld", "verypollctl"]
    ),
]

let package = Package(
    name: "verypoll",
    products: [.library(name: "Verypoll", targets: ["Verypoll"])],
    traits: [
        .default(enabledTraits: ["OSPoll", "OSExt", "Net", "Daemon"]),
        .trait(
            name: "OSPoll",
            description: "Poll, Registry and Waker work on epoll; without it they trap when used."
        ),
        .trait(
            name: "PollSelector",
            description: "The kernel is asked by poll(2) in place of epoll.",
            enabledTraits: ["OSPoll"]
        ),
        .trait(
            name: "OSExt",
            description: "Foreign descriptors, pipes, signals, timers and processes as sources.",
            enabledTraits: ["OSPoll"]
        ),
        .trait(name: "Net", description: "TCP, UDP and Unix-domain sockets."),
        .trait(
            name: "Daemon",
            description: "The packages that only verypolld and verypollctl need.",
            enabledTraits: ["OSPoll", "OSExt", "Net"]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0")
    ],
    targets: library
)

if libraryOnly != "sync" {
    package.products.append(.library(name: "VerypollAsync", targets: ["VerypollAsync"]))
    package.targets += asyncLibrary
}

if libraryOnly == nil {
    package.products += [
        // For Fuzz, which is a package of its own; nothing in it is public.
        .library(
            name: "_VerypollDaemon",
            targets: [
                "StrictJSON", "VerypollConfiguration", "VerypollServer", "VerypollDaemon",
                "VerypollControl", "Varlink",
            ]
        ),
        .executable(name: "verypolld", targets: ["verypolld"]),
        .executable(name: "verypollctl", targets: ["verypollctl"]),
    ]
    package.dependencies += [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ]
    package.targets += daemon + daemonTests
}
