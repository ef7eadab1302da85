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
            "unix:@web", "systemd:web", "systemd:web.socket", "vsock:3:8080", "vsock:*:80",
            "vsock:1:4294967295",
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
        let any = VsockAddress(cid: VsockAddress.anyCID, port: 80)
        for text in ["vsock:*:80", "vsock::80", "vsock:4294967295:80"] {
            #expect(try ListenAddress(text) == .vsock(any))
        }
    }

    @Test(
        "invalid listener addresses are rejected with the reason",
        arguments: [
            ("127.0.0.1", "\"127.0.0.1\" has no port; write \"127.0.0.1:80\""),
            (
                "8080",
                "\"8080\" is a port without an address; write \"[::]:8080\" for all addresses of"
                    + " the machine, or \"0.0.0.0:8080\" for IPv4 only"
            ),
            (
                "*",
                "\"*\" has no address and no port; write \"[::]:80\" for all addresses of the"
                    + " machine, or \"0.0.0.0:80\" for IPv4 only"
            ),
            (
                "web",
                "\"web\" is not an IP address and has no port; write an address such as"
                    + " \"127.0.0.1:80\", or \"systemd:web\" for a socket from systemd"
            ),
            (
                "/run/a.sock",
                "\"/run/a.sock\" is not a valid address; write \"unix:/run/a.sock\" for a"
                    + " Unix-domain socket"
            ),
            ("@a", "\"@a\" is not a valid address; write \"unix:@a\" for a Unix-domain socket"),
            (
                "tcp://127.0.0.1:80/",
                "\"tcp://127.0.0.1:80/\" is a URL, not an address; drop \"tcp://\" and write"
                    + " \"127.0.0.1:80\""
            ),
            (
                "HTTP://[::1]/x:y",
                "\"HTTP://[::1]/x:y\" is a URL, not an address; drop \"HTTP://\" and write"
                    + " \"[::1]:80\""
            ),
            (
                "https://me@10.0.0.1?a",
                "\"https://me@10.0.0.1?a\" is a URL, not an address; drop \"https://\" and write"
                    + " \"10.0.0.1:443\" (TLS is not terminated; the encrypted bytes are forwarded)"
            ),
            (
                "http+unix:///run/a.sock",
                "\"http+unix:///run/a.sock\" is a URL, not an address; drop \"http+unix://\" and"
                    + " write \"unix:/run/a.sock\""
            ),
            (
                "unix://run/a.sock",
                "\"unix://run/a.sock\" is a URL with a host, not an address; write"
                    + " \"unix:/run/a.sock\""
            ),
            (
                "[::]8080",
                "\"[::]8080\" has no colon before the port; write \"[::]:8080\""
            ),
            (
                "2001:db8::7",
                "\"2001:db8::7\" is not a valid address with a port; write the IPv6 address in"
                    + " brackets, as in \"[2001:db8::7]:80\""
            ),
            (
                "10.0.0.1:80:90",
                "\"10.0.0.1:80:90\" has more than one colon; write an address and a port, as in"
                    + " \"127.0.0.1:80\" or \"[::1]:80\""
            ),
            ("127.0.0.1:", "\"\" is not a valid port; write a number up to 65535"),
            ("127.0.0.1:70000", "\"70000\" is not a valid port; write a number up to 65535"),
            ("127.0.0.1:080", "\"080\" is not a valid port; write a number up to 65535"),
            ("127.0.0.1:http", "\"http\" is not a valid port; write a number up to 65535"),
            (
                "::1:80",
                "\"::1:80\" is not a valid address with a port; write the IPv6 address in brackets,"
                    + " as in \"[::1]:80\""
            ),
            ("[::1]", "\"[::1]\" has no port; write \"[::1]:80\""),
            (
                ":80",
                "\":80\" has no address; write \"[::]:80\" for all addresses of the machine, or"
                    + " \"0.0.0.0:80\" for IPv4 only"
            ),
            (
                "*:80",
                "\"*:80\" has no address; write \"[::]:80\" for all addresses of the machine, or"
                    + " \"0.0.0.0:80\" for IPv4 only"
            ),
            (
                "localhost:80",
                "\"localhost\" is not an IP address; a listener needs one, such as"
                    + " \"127.0.0.1:80\" or \"[::1]:80\""
            ),
            (
                "224.0.0.1:80",
                "224.0.0.1 is a multicast address, on which TCP cannot listen; use another"
            ),
            ("unix:web.sock", "\"web.sock\" is not an absolute path; begin it with \"/\""),
            ("unix:/run/", "\"/run/\" is not a valid path of a socket; name a file"),
            ("unix:@", "the abstract name has 0 bytes; write 1 to 107"),
            (
                "vsock:80",
                "\"vsock:80\" is not a valid vsock address; write a CID and a port, as in"
                    + " \"vsock:*:8080\" for all CIDs of this machine"
            ),
            (
                "vsock:any:80",
                "\"vsock:any:80\" is not a valid vsock address; write a CID and a port, as in"
                    + " \"vsock:*:8080\" for all CIDs of this machine"
            ),
            (
                "vsock:*:0",
                "\"vsock:*:0\" has port 0; write a port from 1 to 4294967294, or 4294967295 for one"
                    + " that the kernel chooses"
            ),
            (
                "systemd:a:b",
                "\"a:b\" is not a valid FileDescriptorName=; use 1 to 255 printable ASCII"
                    + " characters without a colon"
            ),
            (
                "systemd:varlink",
                "\"varlink\" is reserved for the control socket; use another name"
            ),
            (
                "systemd:varlink-metrics",
                "\"varlink-metrics\" is reserved for the metrics socket; use another name"
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
                == "the path has 108 bytes, but the path of a socket can have at most 107; use a"
                + " shorter one"
        )
        #expect(
            reason { () throws(InvalidValue) in _ = try ListenAddress("unix:@\(longest)é") }
                == "the abstract name has 108 bytes; write 1 to 107"
        )
    }
}
