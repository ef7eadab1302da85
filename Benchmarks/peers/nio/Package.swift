// swift-tools-version: 6.0
import PackageDescription

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

// A separate package, so that the measured code builds without it.
let package = Package(
    name: "nio-peers",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2")
    ],
    targets: [
        .executableTarget(name: "nio-echo", dependencies: nio),
        .executableTarget(name: "nio-drop", dependencies: nio),
        .executableTarget(name: "nio-echo-client", dependencies: nio),
        .executableTarget(name: "nio-async-echo", dependencies: nio),
        .executableTarget(name: "nio-async-drop", dependencies: nio),
    ]
)
