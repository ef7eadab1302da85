// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let verypoll: [Target.Dependency] = [
    .product(name: "Verypoll", package: "verypoll"),
    .product(name: "SystemPackage", package: "swift-system"),
]

// A package of its own, so that users of the library build none of it. It has no flags that a
// package which is depended on could not have.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "verypoll", path: ".."),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(name: "echo", dependencies: verypoll, swiftSettings: settings),
        .executableTarget(name: "drop", dependencies: verypoll, swiftSettings: settings),
        .executableTarget(
            name: "operations",
            dependencies: verypoll + ["COperations"],
            swiftSettings: settings
        ),
        .target(name: "COperations"),
    ]
)
