import Glibc
import TestSupport
import Testing

extension ServiceTests {
    private static let examples = "/usr/local/share/doc/verypolld/examples"

    @Test("every example runs with the packaged units, with and without the socket unit")
    func runsExamples() throws {
        let names = try lab.must("ls", Self.examples).split(separator: "\n").map(String.init)
        #expect(names.count >= 5)
        for name in names {
            try lab.stop()
            try lab.must("cp", "\(Self.examples)/\(name)", "/etc/verypolld/verypolld.json")
            let checked = try lab.run("verypolld", "--check-config")
            #expect(checked.exit == .code(0), "\(name)")
            let text = try lab.must("cat", "/etc/verypolld/verypolld.json")
            if !text.contains("systemd:") {
                try lab.must("systemctl", "start", "verypolld.service")
                #expect(try lab.property("ActiveState") == "active", "\(name)")
                try lab.stop()
            }
            try lab.must("systemctl", "start", "verypolld.socket")
            try lab.must("systemctl", "start", "verypolld.service")
            #expect(try lab.property("ActiveState") == "active", "\(name)")
            #expect(try lab.property("NRestarts") == "0", "\(name)")
        }
        try lab.stop()
    }

    @Test("root is warned about a configuration that the service's user can't read")
    func warnsOfUnreadable() throws {
        let folder = "/etc/verypolld/closed"
        let text = #"{"listeners": {"e": {"listen": ["[::]:7"], "handler": {"type": "echo"}}}}"#
        try lab.write(text, to: "\(folder)/a.json")
        defer { _ = try? lab.run("rm", "-r", folder) }
        let open = try lab.run("verypolld", "--check-config", "\(folder)/a.json")
        #expect(open.exit == .code(0))
        #expect(open.standardError == "")
        try lab.must("chmod", "600", "\(folder)/a.json")
        for words in [["verypolld", "--check-config"], ["verypollctl", "config", "check"]] {
            let words = words + ["\(folder)/a.json"]
            let closed = try lab.start(words[0], Array(words.dropFirst())).finish()
            #expect(closed.exit == .code(0))
            #expect(closed.standardOutput == "\(folder)/a.json: the configuration is valid\n")
            #expect(
                closed.standardError == """
                    warning: \(folder)/a.json: the user verypoll of \
                    verypolld.service can't read it; run chgrp verypoll \(folder)/a.json && \
                    chmod g+r \(folder)/a.json\n
                    """
            )
        }
        try lab.must("chmod", "700", folder)
        let hidden = try lab.run("verypolld", "--check-config", "\(folder)/a.json")
        #expect(hidden.standardError.contains("it may not enter \(folder); run chgrp verypoll"))
    }

    @Test("a socket file can be assigned to a group that the service's user belongs to")
    func givesFile() throws {
        let configuration = """
            {"listeners": {"e": {"listen": ["unix:/run/verypolld/e.sock"],
              "handler": {"type": "echo"}, "socket": {"group": "adm"}}}}
            """
        try lab.stop()
        try lab.write(configuration, to: "/etc/verypolld/verypolld.json")
        #expect(try lab.run("systemctl", "start", "verypolld").exit != .code(0))
        let log = try lab.must("journalctl", "-u", "verypolld", "-n", "20", "--no-pager")
        #expect(log.contains("can't give the file to the group \"adm\""))
        #expect(log.contains("SupplementaryGroups=adm"))
        let file = "/run/systemd/system/verypolld.service.d/group.conf"
        try lab.stop()
        try lab.write("[Service]\nSupplementaryGroups=adm\nSystemCallFilter=@chown\n", to: file)
        try lab.must("systemctl", "daemon-reload")
        defer {
            _ = try? lab.stop()
            _ = try? lab.run("rm", file)
            _ = try? lab.run("systemctl", "daemon-reload")
        }
        try lab.must("systemctl", "start", "verypolld")
        let found = try lab.must("stat", "-c", "%a %U %G", "/run/verypolld/e.sock")
        #expect(found == "660 verypoll adm\n")
    }
}
