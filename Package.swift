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

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)

func example(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["Verypoll", system],
        path: "Examples/\(name)",
        swiftSettings: settings
    )
}

let package = Package(
    name: "verypoll",
    products: [
        .library(name: "Verypoll", targets: ["Verypoll"]),
        // For Fuzz, which is a package of its own; nothing in it is public.
        .library(
            name: "_VerypollDaemon",
            targets: ["VerypollDaemon", "VerypollControl", "Varlink"]
        ),
        .executable(name: "verypolld", targets: ["verypolld"]),
        .executable(name: "verypollctl", targets: ["verypollctl"]),
    ],
    traits: [
        .default(enabledTraits: ["OSPoll", "OSExt", "Net"]),
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
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ],
    targets: [
        // The library.
        .target(name: "CVerypoll"),
        .target(name: "Verypoll", dependencies: ["CVerypoll", system], swiftSettings: settings),

        // Programs that show how it is used.
        example("accept-and-drop"),
        example("chat"),
        example("echo"),
        example("proxy"),
        example("systemd-sockets"),
        example("udp-echo"),

        // The daemon and its command.
        .systemLibrary(
            name: "CSystemd",
            pkgConfig: "libsystemd",
            providers: [.apt(["libsystemd-dev"])]
        ),
        .target(name: "CProcessStart"),
        .target(name: "Console", dependencies: ["CProcessStart", system], swiftSettings: settings),
        .target(
            name: "Systemd",
            dependencies: ["CSystemd", "Console", system, logging],
            swiftSettings: settings
        ),
        .target(name: "Varlink", swiftSettings: settings),
        .target(
            name: "VerypollControl",
            dependencies: ["Varlink"],
            resources: [.embedInCode("io.verypoll.Daemon.varlink")],
            swiftSettings: settings
        ),
        .target(
            name: "VerypollDaemon",
            dependencies: [
                "CVerypoll", "Verypoll", "VerypollControl", "Varlink", "Systemd", "Console", system,
                logging,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "verypolld",
            dependencies: [
                "VerypollDaemon", "VerypollControl", "Console", system, arguments, logging,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "verypollctl",
            dependencies: [
                "VerypollControl", "Varlink", "Verypoll", "Console", system, arguments,
            ],
            swiftSettings: settings
        ),

        // Tests, a target per target, and SystemTests: the built programs under a real systemd.
        .target(
            name: "TestSupport",
            dependencies: [system],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        .testTarget(
            name: "VerypollTests",
            dependencies: [
                "Verypoll", "TestSupport", "CTestSupport", "accept-and-drop", "chat", "echo",
                "proxy", "systemd-sockets", "udp-echo", system,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "ConsoleTests", dependencies: ["Console"], swiftSettings: settings),
        .testTarget(
            name: "SystemdTests",
            dependencies: ["Systemd", "TestSupport", system, logging],
            swiftSettings: settings
        ),
        .testTarget(name: "VarlinkTests", dependencies: ["Varlink"], swiftSettings: settings),
        .testTarget(
            name: "VerypollControlTests",
            dependencies: ["VerypollControl", "Varlink"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VerypollDaemonTests",
            dependencies: [
                "VerypollDaemon", "VerypollControl", "Varlink", "Verypoll", "TestSupport",
                "CTestSupport", "verypolld", system, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VerypollctlTests",
            dependencies: [
                "verypollctl", "verypolld", "VerypollDaemon", "VerypollControl", "Varlink",
                "Verypoll", "Console", "TestSupport", system,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SystemTests",
            dependencies: ["TestSupport", "VerypollDaemon", "verypolld", "verypollctl"],
            exclude: ["Programs"],
            swiftSettings: settings
        ),
    ]
)
