"""Serves names, or asks a proxy for the names of the servers behind it.

hash_clients.py serve COUNT: COUNT servers that send each client their address. Prints the addresses
in one line, and runs until it is killed.

hash_clients.py KIND ADDRESS[,ADDRESS]... COUNT: connects COUNT times, to the addresses in turn, and
prints the answers in one line. KIND is what differs between the clients: "sources" and
"destinations" announce addresses from 198.18.0.0 on in PROXY headers, "binds" are sources from
127.1.0.0 on, and "names" are the names 0.example and so on, which a TLS client asks for in mixed
case.
"""
import selectors, socket, ssl, struct, sys

BATCH = 200
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h


def numbered(first, number):
    (bits,) = struct.unpack("!I", socket.inet_aton(first))
    return socket.inet_ntoa(struct.pack("!I", bits + number))


def header(source, destination):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination) + b"\x12\x34\x01\xbb"
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", len(addresses)) + addresses


context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def hello(name):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def serve(count):
    selector = selectors.DefaultSelector()
    servers = []
    for _ in range(count):
        server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        server.setblocking(False)
        servers.append("127.0.0.1:%d" % server.getsockname()[1])
        selector.register(server, selectors.EVENT_READ, servers[-1].encode())
    print(*servers, flush=True)
    while True:
        for key, _ in selector.select():
            if key.data:
                try:
                    client, _ = key.fileobj.accept()
                except BlockingIOError:
                    continue
                client.send(key.data)
                client.shutdown(socket.SHUT_WR)
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ)
            else:
                try:
                    rest = key.fileobj.recv(65536)
                except OSError:
                    rest = b""
                if not rest:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def ask(address, clients):
    """Returns the answers to clients; each is an address to bind, or None, and the first bytes."""
    places = [place.rsplit(":", 1) for place in address.split(",")]
    answers = [b""] * len(clients)
    selector = selectors.DefaultSelector()
    waiting = list(enumerate(clients))[::-1]
    while waiting or selector.get_map():
        while waiting and len(selector.get_map()) < BATCH:
            index, (source, text) = waiting.pop()
            client = socket.socket()
            if source:
                client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                client.bind((source, 0))
            host, port = places[index % len(places)]
            client.connect((host, int(port)))
            client.sendall(text)
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ, index)
        for key, _ in selector.select(60) or sys.exit("no answer"):
            text = key.fileobj.recv(65536)
            answers[key.data] += text
            if not text:
                selector.unregister(key.fileobj)
                key.fileobj.close()
    return answers


def client(kind, number):
    other = numbered("198.18.0.0", number)
    match kind:
        case "sources": return None, header(other, "192.0.2.1")
        case "destinations": return None, header("192.0.2.1", other)
        case "binds": return numbered("127.1.0.0", number), b""
        case "names": return None, hello("%d.Example" % number)


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    kind, address, count = sys.argv[1:]
    answers = ask(address, [client(kind, number) for number in range(int(count))])
    print(*(answer.decode() for answer in answers))
