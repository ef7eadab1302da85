import Foundation
import StrictJSON
import Testing
import Varlink

@testable import VerypollControl

@Suite("MetricsInterface")
struct MetricsInterfaceTests {
    private let described: InterfaceDescription

    init() throws {
        described = try InterfaceDescription(MetricsInterface.description)
    }

    @Test("the description has the methods of systemd's definition, and no others")
    func names() throws {
        let interface = try Interface(description: MetricsInterface.description)
        #expect(interface.name == "io.systemd.Metrics")
        #expect(interface.name == MetricsInterface.name)
        #expect(interface.methods == ["List", "Describe"])
        #expect(
            Set(interface.methods.map { "\(MetricsInterface.name).\($0)" })
                == Set(MetricsInterface.Method.allCases.map(\.rawValue))
        )
    }

    @Test("the methods, the type and the error have the fields of systemd's definition")
    func describes() {
        #expect(described.methods["List"]?.input == [:])
        #expect(
            described.methods["List"]?.output == [
                "name": .string, "object": .nullable(.string), "value": .any,
                "fields": .nullable(.object),
            ]
        )
        #expect(described.methods["Describe"]?.input == [:])
        #expect(
            described.methods["Describe"]?.output == [
                "name": .string, "description": .string, "type": .named("MetricFamilyType"),
            ]
        )
        #expect(described.enums == ["MetricFamilyType": ["counter", "gauge", "string"]])
        #expect(described.structs.isEmpty)
        #expect(described.errors == ["NoSuchMetric": [:]])
        #expect(
            ReportedFamily.Kind.allCases.map(\.rawValue) == described.enums["MetricFamilyType"]
        )
    }

    /// Returns a value as JSON with sorted keys.
    private func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test("replies have the described fields, and omit an absent object and absent fields")
    func encodes() throws {
        let name = MetricsInterface.prefix + "ServerSessionsTotal"
        let full = ReportedMetric(
            name: name,
            object: "app/10.0.0.1:80",
            value: 7,
            fields: ["kind": "reset"]
        )
        #expect(
            try text(full) == #"{"fields":{"kind":"reset"},"name":"io.verypoll.Daemon."#
                + #"ServerSessionsTotal","object":"app/10.0.0.1:80","value":7}"#
        )
        #expect(
            try text(ReportedMetric(name: "a.B", value: "c")) == #"{"name":"a.B","value":"c"}"#
        )
        let seconds = ReportedMetric(name: "a.B", value: JSONValue(.number("2.5")))
        #expect(try text(seconds) == #"{"name":"a.B","value":2.5}"#)
        #expect(
            try text(ReportedFamily(name: "a.B", description: "C.", type: .gauge))
                == #"{"description":"C.","name":"a.B","type":"gauge"}"#
        )
    }
}
