internal import SystemPackage
internal import Testing
internal import Verypoll

@testable internal import VerypollConfiguration

@Suite("ListenAddress")
struct ListenAddressTests {
    @Test(
        "listener addresses print as they were written",
        arguments: [
            "127.0.0.1:80", "[::]:8080", "[fe80::1%2]:9", "0.0.0.0:0", "unix:/run/a/web.sock",
            "unix:@web", "systemd:web", "systemd:web.socket",
        ]
    )
    func listens(text: String) throws {
        #expect(try ListenAddress(text).description == text)
    }

    @Test("listener addresses are parsed into their kinds")
    func listenKinds() throws {
        #expect(
            try ListenAddress("[::1]:80") == .ip(SocketAddress(.loopback(.v6), port: 80))
        )
        #expect(try ListenAddress("unix:/a") == .unix(.path("/a")))
        #expect(try ListenAddress("unix:@a") == .unix(.abstract([0x61])))
        #expect(try ListenAddress("systemd:a") == .systemd("a"))
    }

    @Test(
        "invalid listener addresses are rejected with the reason",
        arguments: [
            ("127.0.0.1", "\"127.0.0.1\" has no port; write \"127.0.0.1:80\""),
            (
                "8080",
                "\"8080\" is a port without an address; write \"[::]:8080\" for all addresses of"
                    + " the machine, or \"0.0.0.0:8080\" for those of IPv4"
            ),
            (
                "*",
                "\"*\" names no address and no port; write \"[::]:80\" for all addresses of the"
                    + " machine"
            ),
            (
                "web",
                "\"web\" is no IP address and has no port; write one such as \"127.0.0.1:80\", or"
                    + " \"systemd:web\" for a socket of systemd"
            ),
            (
                "/run/a.sock",
                "\"/run/a.sock\" is no address; write \"unix:/run/a.sock\" for a Unix-domain socket"
            ),
            ("@a", "\"@a\" is no address; write \"unix:@a\" for a Unix-domain socket"),
            (
                "tcp://127.0.0.1:80/",
                "\"tcp://127.0.0.1:80/\" is a URL, not an address; write the host and the port alone,"
                    + " as in \"127.0.0.1:80\""
            ),
            (
                "[::]8080",
                "\"[::]8080\" has no colon before the port; write \"[::]:8080\""
            ),
            (
                "2001:db8::7",
                "\"2001:db8::7\" is no address with a port; IPv6 addresses stand in brackets before"
                    + " it, as in \"[2001:db8::7]:80\""
            ),
            (
                "10.0.0.1:80:90",
                "\"10.0.0.1:80:90\" has more than one colon; write an address and a port, as in"
                    + " \"127.0.0.1:80\" or \"[::1]:80\""
            ),
            ("127.0.0.1:", "\"\" is no port; write a number of up to 65535"),
            ("127.0.0.1:70000", "\"70000\" is no port; write a number of up to 65535"),
            ("127.0.0.1:080", "\"080\" is no port; write a number of up to 65535"),
            ("127.0.0.1:http", "\"http\" is no port; write a number of up to 65535"),
            (
                "::1:80",
                "\"::1:80\" is no address with a port; IPv6 addresses stand in brackets before it, as"
                    + " in \"[::1]:80\""
            ),
            ("[::1]", "\"[::1]\" has no port; write \"[::1]:80\""),
            (":80", "\":80\" names no address; write \"[::]:80\" for all of the machine's"),
            ("*:80", "\"*:80\" names no address; write \"[::]:80\" for all of the machine's"),
            (
                "localhost:80",
                "\"localhost\" is no IP address; a listener takes one, such as \"127.0.0.1:80\" or"
                    + " \"[::1]:80\""
            ),
            ("224.0.0.1:80", "224.0.0.1 is a multicast address, which TCP can't listen on"),
            ("unix:web.sock", "\"web.sock\" is no absolute path; begin it with \"/\""),
            ("unix:/run/", "\"/run/\" can't be the path of a socket; name a file"),
            ("unix:@", "the abstract name has 0 bytes; write 1 to 107"),
            (
                "systemd:a:b",
                "\"a:b\" can't be a FileDescriptorName=, which has 1 to 255 printable ASCII"
                    + " characters and no colon"
            ),
            (
                "systemd:varlink",
                "\"varlink\" is the control socket's name; give the socket another"
            ),
        ]
    )
    func refusedListens(text: String, expected: String) {
        #expect(reason { () throws(InvalidValue) in _ = try ListenAddress(text) } == expected)
    }

    @Test("socket paths and abstract names have at most 107 bytes")
    func pathLengths() throws {
        let longest = String(repeating: "é", count: 53)  // Two bytes each.
        _ = try ListenAddress("unix:/\(longest)")
        _ = try ListenAddress("unix:@\(longest)x")
        #expect(
            reason { () throws(InvalidValue) in _ = try ListenAddress("unix:/\(longest)x") }
                == "the path has 108 bytes, but a socket's has at most 107; choose a shorter one"
        )
        #expect(
            reason { () throws(InvalidValue) in _ = try ListenAddress("unix:@\(longest)é") }
                == "the abstract name has 108 bytes; write 1 to 107"
        )
    }
}
