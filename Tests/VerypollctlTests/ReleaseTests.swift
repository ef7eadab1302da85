import Foundation
import TestSupport
import Testing
import VerypollControl

@Suite("Release")
struct ReleaseTests {
    private func text(of path: String) throws -> String {
        try String(contentsOfFile: "\(Repository.path)/\(path)", encoding: .utf8)
    }

    @Test("the changelog's newest release has the version of the programs, and a date")
    func changelogNamesVersion() throws {
        let heading = /## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}/
        let newest = try #require(try text(of: "CHANGELOG.md").firstMatch(of: heading))
        #expect(newest.output.1 == Release.version)
    }

    @Test(
        "documents that name a version of the library name this one",
        arguments: ["Features.md", "GettingStarted.md"]
    )
    func articlesNameVersion(name: String) throws {
        let article = try text(of: "Sources/Verypoll/Verypoll.docc/\(name)")
        let versions = article.matches(of: /from: "([^"]*)"/).map { String($0.output.1) }
        #expect(versions == [Release.version])
    }

    @Test("transcripts and pictures of the documents show this version")
    func documentsShowVersion() throws {
        let docs = "\(Repository.path)/docs"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: docs).sorted()
            .filter { $0.hasSuffix(".md") || $0.hasSuffix(".svg") }.map { "docs/" + $0 }
        var count = 0
        for path in ["README.md"] + paths {
            let shown = try text(of: path).matches(
                of: /verypoll(?:d|ctl)(?:<[^<>]*>|\s)*(?:- version )?(\d+\.\d+\.\d+)/
            )
            for match in shown { #expect(match.output.1 == Release.version, "\(path)") }
            count += shown.count
        }
        #expect(count >= 4)
    }

    @Test("the security policy supports this minor version")
    func policyNamesVersion() throws {
        let minor = Release.version.split(separator: ".").prefix(2).joined(separator: ".")
        #expect(try text(of: "SECURITY.md").contains("| \(minor) | yes |"))
    }

    @Test("the Swift version is the same for contributors, the package and continuous integration")
    func namesOneSwift() throws {
        let swift = try text(of: ".swift-version").trimmingCharacters(in: .newlines)
        #expect(try text(of: "Package.swift").hasPrefix("// swift-tools-version: \(swift)\n"))
        #expect(try text(of: ".github/workflows/ci.yml").contains("image: swift:\(swift)-bookworm"))
        #expect(try text(of: ".spi.yml").contains("swift_version: \"\(swift)\""))
    }

    @Test("Scripts/deb rejects a maintainer without an email address")
    func refusesMaintainer() throws {
        let script = "\(Repository.path)/Scripts/deb"
        let result = try Program.run(script, ["/"], environment: ["MAINTAINER": "nobody"])
        #expect(result.exit == .code(2))
        #expect(result.standardError.contains("MAINTAINER: \"nobody\" is not valid; expected"))
    }
}
