import TestSupport
import Testing

extension ServiceTests {
    private func listeners(_ names: [String]) -> String {
        let members = names.enumerated().map { index, name in
            #""\#(name)": { "listen": ["127.0.0.1:\#(7101 + index)"], "handler": { "type": "echo" } }"#
        }
        return "{ \"listeners\": {\n\(members.joined(separator: ",\n"))\n} }\n"
    }

    @Test("systemctl reload returns once the new configuration is in effect in the same process")
    func reloads() throws {
        try lab.restart(configuration: listeners(["one"]))
        let process = try lab.property("MainPID")
        try lab.write(listeners(["one", "two"]), to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "reload", "verypolld")
        #expect(try lab.property("StatusText") == "2 listeners, 0 sessions")
        #expect(try answer(to: "new", port: 7102) == "new")
        #expect(try lab.property("MainPID") == process)
        #expect(try lab.property("ActiveState") == "active")
    }

    @Test("systemctl reload of an invalid configuration fails with a reason, and service continues")
    func refusesReload() throws {
        try lab.restart(configuration: listeners(["one"]))
        try lab.write("{ \"listeners\": {} }", to: "/etc/verypolld/verypolld.json")
        #expect(try lab.run("systemctl", "reload", "verypolld").exit != .code(0))
        let status = try lab.property("StatusText")
        #expect(status.contains("reload refused"), "\(status)")
        #expect(status.contains("/etc/verypolld/verypolld.json:1:16: /listeners"), "\(status)")
        let log = try lab.run("journalctl", "-u", "verypolld", "-n", "20", "--no-pager")
        #expect(log.standardOutput.contains("status=78/CONFIG"), "\(log.standardOutput)")
        #expect(!log.standardOutput.contains("NOTINSTALLED"))
        #expect(try answer(to: "still here", port: 7101) == "still here")
        #expect(try lab.property("ActiveState") == "active")

        try lab.write(listeners(["one"]), to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "reload", "verypolld")
        #expect(try lab.property("StatusText") == "1 listener, 0 sessions")
    }

    @Test("an idle daemon exits, and the next connection starts it again")
    func endsIdle() throws {
        try lab.stop()
        let configuration = """
            { "exitOnIdle": "1s", "listeners": {
              "web": { "listen": ["systemd:web"], "handler": { "type": "echo" } }
            } }
            """
        try lab.write(configuration, to: "/etc/verypolld/verypolld.json")
        try lab.must("systemctl", "start", "verypolld.socket")
        for round in ["first", "second"] {
            #expect(try answer(to: round, port: 8080) == round)
            try eventually("the idle exit") { try lab.property("ActiveState") == "inactive" }
            #expect(try lab.property("Result") == "success")
        }
        try lab.stop()
    }
}
