"""The first bytes of TLS clients, ordinary and odd ones, and of clients that do not use TLS.

The messages are built from RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 6066 (server names),
RFC 7301 (ALPN), RFC 8701 (GREASE), RFC 7685 (padding), and RFC 9849 (ECH). They are the same in
each run.
"""
import dataclasses

SHOP, WILD, OTHER = b"shop.example.com", b"sub.shop.example.com", b"other.example.com"
ACME = b"acme-tls/1"
TLS10, TLS12 = 0x0301, 0x0303
ALERT, HANDSHAKE, APPLICATION = 21, 22, 23
LARGEST_RECORD = 1 << 14
CIPHERS = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030]
BEFORE_TLS13 = CIPHERS[3:] + [0xC013, 0xC014, 0x002F, 0x0035]
GROUPS = [0x001D, 0x0017, 0x0018]
SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501]
SERVER_NAME, ALPN, PADDING, ECH = 0, 16, 21, 0xFE0D
# The client's random values are constant.
RANDOM, SESSION, KEY = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
# The seconds after each piece: PAUSE usually, BRIEF if there are hundreds of them.
PAUSE, BRIEF = 0.05, 0.002


@dataclasses.dataclass
class Hello:
    """What a client sends: pieces, with a pause after each, and possibly end of file."""

    title: str
    pieces: list
    pause: float = PAUSE
    ends: bool = False

    @property
    def bytes(self):
        return b"".join(self.pieces)


def number(width, value):
    return value.to_bytes(width, "big")


def numbers(values):
    return b"".join(number(2, value) for value in values)


def vector(width, content):
    """Returns a vector of variable length, whose length has `width` bytes."""
    return number(width, len(content)) + content


def extension(kind, content):
    return number(2, kind) + vector(2, content)


def server_name(*names):
    """Returns a server_name extension; a name is a host_name, or a pair of a type and a name."""
    pairs = [(0, name) if isinstance(name, bytes) else name for name in names]
    entries = b"".join(number(1, kind) + vector(2, name) for kind, name in pairs)
    return extension(SERVER_NAME, vector(2, entries))


def alpn(*protocols):
    return extension(ALPN, vector(2, b"".join(vector(1, name) for name in protocols)))


def common(groups=GROUPS):
    """Returns the extensions that TLS 1.2 and 1.3 have in common."""
    return [extension(10, vector(2, numbers(groups))), extension(11, vector(1, b"\0")),
            extension(13, vector(2, numbers(SIGNATURES)))]


def of_tls13(versions=(0x0304, 0x0303), shares=()):
    shares = b"".join(number(2, group) + vector(2, key) for group, key in [*shares, (0x1D, KEY)])
    return [extension(43, vector(1, numbers(versions))), extension(45, vector(1, b"\1")),
            extension(51, vector(2, shares))]


def message(extensions, ciphers=CIPHERS, version=TLS12, session=SESSION):
    """Returns a ClientHello; without extensions (None) it has not even their length."""
    body = number(2, version) + RANDOM + vector(1, session) + vector(2, numbers(ciphers))
    body += vector(1, b"\0")
    if extensions is not None:
        body += vector(2, b"".join(extensions))
    return b"\1" + vector(3, body)


def record(fragment, kind=HANDSHAKE, version=TLS10):
    return number(1, kind) + number(2, version) + vector(2, fragment)


def records(whole, size=LARGEST_RECORD):
    return b"".join(record(part) for part in parts(whole, size))


def parts(whole, size):
    return [whole[index:index + size] for index in range(0, len(whole), size)]


def tls13(*first, last=()):
    """Returns the message of a TLS 1.3 client with extensions before and after the usual ones."""
    return message([*first, *common(), *of_tls13(), *last])


def padded(size, name=SHOP):
    """Returns the records of a hello with that many bytes; the name is behind the padding."""
    missing = size - len(records(tls13(extension(PADDING, b""), server_name(name))))
    # Each further record adds a header to the bytes.
    missing -= 5 * (size // (LARGEST_RECORD + 5))
    return records(tls13(extension(PADDING, bytes(missing)), server_name(name)))


def greased():
    """Returns a message with a reserved value in each list, like Chrome's."""
    extensions = [extension(0x1A1A, b""), server_name(SHOP), *common([0x2A2A, *GROUPS]),
                  alpn(b"\x0a\x0a", b"h2"), *of_tls13([0x3A3A, 0x0304, 0x0303], [(0x2A2A, b"\0")]),
                  extension(0x4A4A, b"\0")]
    return message(extensions, [0x0A0A, *CIPHERS])


def encrypted():
    """Returns the outer message of Encrypted Client Hello; the encrypted part is arbitrary."""
    # Its type is outer; HKDF-SHA256 and AES-128-GCM encrypt it; configuration 7.
    outer = b"\0" + numbers([1, 1]) + b"\7" + vector(2, KEY) + vector(2, bytes(range(208)))
    return tls13(server_name(SHOP), last=[extension(ECH, outer)])


def sslv2():
    """Returns a hello of SSL 2.0 that offers TLS 1.0; RFC 5246, E.2."""
    ciphers = b"\0\0\x2f\0\0\x35\1\0\x80"
    body = b"\1" + number(2, TLS10) + number(2, len(ciphers)) + numbers([0, 16])
    body += ciphers + RANDOM[:16]
    return number(2, 0x8000 | len(body)) + body


def named(name):
    return [records(tls13(server_name(name)))]


def offering(*protocols, name=OTHER):
    return [records(tls13(server_name(name), alpn(*protocols)))]


def split_in(whole, text, offset):
    index = whole.index(text) + offset
    return [whole[:index], whole[index:]]


def catalog():
    """Returns all hellos, in the order of the table."""
    plain = tls13(server_name(SHOP))
    usual = records(plain)
    half = usual[:(usual.index(SHOP) + len(SHOP) + len(usual)) // 2]
    middle = plain.index(SHOP) + 4
    fill = bytes(64 * 4 - 4 - len(plain))
    sixty_four_parts = tls13(server_name(SHOP), last=[extension(PADDING, fill)])
    long_name = b".".join([b"x" * 60] * 4 + [SHOP])
    short = b"\1" + number(3, len(plain) - 4 - 1)
    early = record(b"\1", 20, TLS12) + record(bytes(100), APPLICATION, TLS12)
    tls12 = message([server_name(SHOP), *common()], BEFORE_TLS13, session=b"")
    old = message(None, BEFORE_TLS13, TLS10, b"")
    bad_protocols = [server_name(SHOP), extension(ALPN, vector(2, b"\2h2" + b"\x0aacme-tls"))]
    empty_protocol = [server_name(SHOP), alpn(b"h2", b"")]
    return [
        Hello("TLS 1.3", [usual]),
        Hello("TLS 1.2", [records(tls12)]),
        Hello("TLS 1.0 without extensions", [records(old)]),
        Hello("`SHOP.Example.COM`", named(b"SHOP.Example.COM")),
        Hello("`shop.example.com.`", named(SHOP + b".")),
        Hello("`sub.shop.example.com`", named(WILD)),
        Hello("`a.b.shop.example.com`", named(b"a.b." + SHOP)),
        Hello("`.shop.example.com`", named(b"." + SHOP)),
        Hello("`xshop.example.com`", named(b"x" + SHOP)),
        Hello("`127.0.0.1`", named(b"127.0.0.1")),
        Hello("`::1`", named(b"::1")),
        Hello("`a_b.shop.example.com`", named(b"a_b." + SHOP)),
        Hello("`ö.shop.example.com` in UTF-8", named("ö.".encode() + SHOP)),
        Hello("byte FF before `.shop.example.com`", named(b"\xff." + SHOP)),
        Hello("`shop.example.com`, NUL, `.evil.example`", named(SHOP + b"\0.evil.example")),
        Hello(f"{len(long_name)} bytes that end in `.shop.example.com`", named(long_name)),
        Hello("empty name", named(b"")),
        Hello("empty list of names", [records(tls13(server_name()))]),
        Hello("no server_name", [records(tls13())]),
        Hello("two names: shop, sub.shop", [records(tls13(server_name(SHOP, WILD)))]),
        Hello("name of type 7, then shop", [records(tls13(server_name((7, b"x"), SHOP)))]),
        Hello("two server_name extensions: shop, sub.shop",
              [records(tls13(server_name(SHOP), last=[server_name(WILD)]))]),
        Hello("ALPN `acme-tls/1`, name other", offering(ACME)),
        Hello("ALPN `h2`, `acme-tls/1`, name other", offering(b"h2", ACME)),
        Hello("ALPN `acme-tls/1`, name shop", offering(ACME, name=SHOP)),
        Hello("ALPN `ACME-TLS/1`, name other", offering(ACME.upper())),
        Hello("ALPN protocol longer than its list", [records(tls13(*bad_protocols))]),
        Hello("ALPN with an empty protocol", [records(tls13(*empty_protocol))]),
        Hello("GREASE", [records(greased())]),
        Hello("ECH, outer name shop", [records(encrypted())]),
        Hello("1,500 bytes", [padded(1500)]),
        Hello("4,200 bytes", [padded(4200)]),
        Hello("16,000 bytes", [padded(16000)]),
        Hello("20,000 bytes in 2 records", [padded(20000)]),
        Hello("records of 1 byte", [records(plain, 1)]),
        Hello("64 records", [records(sixty_four_parts, 4)]),
        Hello("empty record in between",
              [record(plain[:middle]) + record(b"") + record(plain[middle:])]),
        Hello("close_notify alert in between",
              [record(plain[:middle]) + record(b"\1\0", ALERT) + record(plain[middle:])]),
        Hello("two segments, split in the name", split_in(usual, SHOP, 4)),
        Hello("one byte per segment", parts(usual, 1), BRIEF),
        Hello("early data behind it", [usual + early]),
        Hello("all of it with FIN", [usual], ends=True),
        Hello("half of it with FIN", [half], ends=True),
        Hello("half of it, then silence", [half]),
        Hello("message longer than its length field", [records(short + plain[4:])]),
        Hello("ServerHello", [records(b"\2" + plain[1:])]),
        Hello("close_notify alert", [record(b"\1\0", ALERT)]),
        Hello("SSL 2.0 hello", [sslv2()]),
        Hello("HTTP", [b"GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"]),
        Hello("FIN at once", [b""], ends=True),
        Hello("silence", [b""]),
    ]
