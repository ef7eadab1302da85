import Testing

@testable import Varlink

@Suite("Service")
struct ServiceTests {
    private func route(_ text: String) throws -> Service.Route {
        try makeService().route(try Call(decoding: Array(text.utf8)))
    }

    @Test("GetInfo describes the service and lists all interfaces")
    func tellsInfo() throws {
        guard case .info(let info) = try route(#"{"method":"org.varlink.service.GetInfo"}"#) else {
            Issue.record("the service did not answer")
            return
        }

        #expect(info.vendor == "Vendor")
        #expect(info.product == "Product")
        #expect(info.version == "1.2.3")
        #expect(info.url == "https://example.org")
        #expect(info.interfaces == ["org.varlink.service", "org.example.test"])
    }

    @Test("a description is served verbatim")
    func describes() throws {
        let call =
            #"{"method":"org.varlink.service.GetInterfaceDescription","#
            + #""parameters":{"interface":"org.example.test"}}"#

        #expect(try route(call) == .description(.init(description: exampleDescription)))
    }

    @Test("the service describes its own interface completely")
    func describesItself() throws {
        let interface = try Interface(description: ServiceInterface.description)

        #expect(interface.name == "org.varlink.service")
        #expect(interface.methods == ["GetInfo", "GetInterfaceDescription"])
        for error in ["InvalidParameter (parameter", "ExpectedMore (", "PermissionDenied ("] {
            #expect(interface.description.contains("error \(error)"))
        }
    }

    @Test("calls of other methods are passed to the implementation")
    func routes() throws {
        #expect(
            try route(#"{"method":"org.example.test.Echo","more":true}"#)
                == .method("org.example.test.Echo")
        )
    }

    @Test(
        "an unknown interface, method or description gets its own error",
        arguments: [
            ("org.example.none.Echo", VarlinkError.interfaceNotFound("org.example.none")),
            ("org.example.test.None", .methodNotFound("org.example.test.None")),
            ("org.example.test.", .methodNotFound("org.example.test.")),
            ("Echo", .methodNotFound("Echo")),
            ("", .methodNotFound("")),
            (".Echo", .methodNotFound(".Echo")),
            ("org.varlink.service.None", .methodNotFound("org.varlink.service.None")),
        ]
    )
    func refuses(method: String, error: VarlinkError) {
        #expect(throws: error) { try route(#"{"method":"\#(method)"}"#) }
    }

    @Test("invalid parameters of the service's own methods are named")
    func namesParameters() {
        let describe = "org.varlink.service.GetInterfaceDescription"
        #expect(throws: VarlinkError.invalidParameter("interface")) {
            try route(#"{"method":"\#(describe)"}"#)
        }
        #expect(throws: VarlinkError.interfaceNotFound("a.b")) {
            try route(#"{"method":"\#(describe)","parameters":{"interface":"a.b"}}"#)
        }
        #expect(throws: VarlinkError.invalidParameter("x")) {
            try route(#"{"method":"org.varlink.service.GetInfo","parameters":{"x":1}}"#)
        }
    }

    @Test("an upgrade is rejected with an error, because a reply would confirm it")
    func refusesUpgrade() {
        #expect(throws: VarlinkError.methodNotImplemented("org.example.test.Echo")) {
            try route(#"{"method":"org.example.test.Echo","upgrade":true}"#)
        }
    }

    @Test("a text that does not name an interface is not a valid description")
    func needsName() {
        #expect(throws: Interface.InvalidDescription.self) {
            try Interface(description: "method Echo() -> ()")
        }
    }
}
