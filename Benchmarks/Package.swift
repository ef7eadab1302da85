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

let verypollAsync = verypoll + [.product(name: "VerypollAsync", package: "verypoll")]

// A separate package, so that users of the library do not build it. It uses no flags that a
// dependency could not use.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "verypoll", path: ".."),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(name: "echo", dependencies: verypoll, swiftSettings: settings),
        .executableTarget(name: "drop", dependencies: verypoll, swiftSettings: settings),
        .executableTarget(name: "async-echo", dependencies: verypollAsync, swiftSettings: settings),
        .executableTarget(name: "async-drop", dependencies: verypollAsync, swiftSettings: settings),
        .executableTarget(
            name: "operations",
            dependencies: verypollAsync + ["COperations"],
            swiftSettings: settings
        ),
        .target(name: "COperations"),
    ]
)
