// swift-tools-version: 6.3
import PackageDescription

// A separate package, so that users of the library do not build it. `make fuzz` runs it.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let verypoll: Target.Dependency = .product(name: "Verypoll", package: "verypoll")

let daemon: Target.Dependency = .product(name: "_VerypollDaemon", package: "verypoll")

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "verypoll-fuzz",
    dependencies: [
        .package(name: "verypoll", path: ".."),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
    ],
    targets: [
        .target(name: "FuzzSupport", swiftSettings: settings),
        .executableTarget(
            name: "fuzz-address",
            dependencies: ["FuzzSupport", verypoll],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-slab",
            dependencies: ["FuzzSupport", verypoll],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-control-messages",
            dependencies: ["FuzzSupport", verypoll, system],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-proxy-header",
            dependencies: ["FuzzSupport", verypoll, daemon, system],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-client-hello",
            dependencies: ["FuzzSupport", daemon],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-check-answer",
            dependencies: ["FuzzSupport", daemon],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-service-answer",
            dependencies: ["FuzzSupport", daemon, verypoll],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-request-head",
            dependencies: ["FuzzSupport", daemon],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-session-file",
            dependencies: ["FuzzSupport", daemon],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-configuration",
            dependencies: ["FuzzSupport", daemon],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-varlink",
            dependencies: ["FuzzSupport", verypoll, daemon, system],
            swiftSettings: settings
        ),
    ]
)
