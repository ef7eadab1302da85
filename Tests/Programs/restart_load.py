"""Clients and the server behind the proxy in one process, which knows what each side sent.

Arguments: the number of sessions, the proxy's port, and the server's port.

All sessions transfer bytes in both directions at once, some of them slowly, while short sessions
open and close. Prints "started" once bytes move on all sessions. When the file /run/end exists,
each client shuts down writing, then each server, and the program prints how many sessions lost
bytes.
"""
import errno, os, random, resource, selectors, socket, struct, sys, time
count, port, server_port = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
random.seed(7)
noise = random.randbytes(1 << 20) * 2
loop = selectors.DefaultSelector()
problems, refused, short, ending = [], 0, 0, False

def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port)); s.listen(4096); s.setblocking(False)
    return s

class End:
    def __init__(self, sock, number, head):
        self.sock, self.number, self.other = sock, number, None
        self.head, self.sent, self.got = head, 0, 0
        self.over, self.finished, self.slow = False, False, number % 10 == 3
        self.lost = False
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 100000)
        loop.register(sock, 3, self)
    def wants(self, events):
        loop.modify(self.sock, events, self)
    def fail(self, what):
        # A short session's server closes after its client, and a reset may discard the session
        # number before it is read (number -1). Every other session's client reports the failure as
        # well.
        if 0 <= self.number <= count:
            problems.append(f"{self.number}: {what} after {self.sent} and {self.got}")
        self.lost = True
        self.close()
    def close(self):
        if not self.over:
            self.over = True
            loop.unregister(self.sock); self.sock.close()
    def send(self):
        if self.finished: return
        if self.head:
            self.head = self.head[self.sock.send(self.head):]
            return
        if ending and (not isinstance(self, Server) or self.ended):
            self.finished = True
            self.sock.shutdown(socket.SHUT_WR)
            self.wants(1)
            return
        at = self.sent % (1 << 20)
        size = 700 if self.slow else random.choice((100, 2000, 20000))
        self.sent += self.sock.send(noise[at:at + size])
    ended = False
    def receive(self):
        if self.slow and random.random() < 0.7: return
        data = self.sock.recv(1000 if self.slow and not ending else 65536)
        if not data:
            self.ended = True
            if self.other and self.got != self.other.sent or not ending:
                return self.fail("the end of file arrived too early")
            if self.finished: self.close()
            else: self.wants(2)
            return
        if isinstance(self, Server) and self.number < 0:
            self.head_in += data
            if len(self.head_in) < 4: return
            self.number, = struct.unpack("!i", self.head_in[:4])
            data = self.head_in[4:]
            if self.number < count:
                self.other = clients[self.number]; self.other.other = self
            self.slow = self.number % 10 == 6
        at = self.got % (1 << 20)
        if noise[at:at + len(data)] != data: return self.fail("wrong bytes")
        self.got += len(data)
    def step(self, events):
        try:
            if events & 1: self.receive()
            if events & 2 and not self.over: self.send()
            if self.ended and self.finished: self.close()
        except BlockingIOError: pass
        except OSError as error: self.fail(error)

class Server(End):
    head_in = b""

class Short:
    """Connects, receives bytes from the server, and closes."""
    def __init__(self):
        self.sock = socket.socket(); self.sock.setblocking(False); self.over = False
        self.began = time.monotonic()
        self.sock.connect_ex(("127.0.0.1", port))
        loop.register(self.sock, 2, self)
    def step(self, events):
        global refused, short
        try:
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error: raise OSError(error, os.strerror(error))
            if events & 2:
                self.sock.send(struct.pack("!i", count + 1)); loop.modify(self.sock, 1, self)
            elif self.sock.recv(1 << 16):
                short += 1; self.close()
            else: raise OSError(errno.ECONNABORTED, "end of file before any byte")
        except OSError as error:
            refused += 1; problems.append(f"short: {error}"); self.close()
    def close(self):
        self.over = True; loop.unregister(self.sock); self.sock.close()

server = listen(server_port)
loop.register(server, 1, None)
clients, servers, shorts = [], [], []
for number in range(count):
    s = socket.create_connection(("127.0.0.1", port))
    clients.append(End(s, number, struct.pack("!i", number)))
began, said, next_short = time.monotonic(), False, 0

def is_done():
    return ending and all(c.over for c in clients) and all(s.over for s in servers)

while not is_done():
    now = time.monotonic()
    for key, events in loop.select(0.05):
        if key.data is not None:
            if not key.data.over: key.data.step(events)
            continue
        try:
            while True:
                s, _ = server.accept()
                servers.append(Server(s, -1, b""))
        except BlockingIOError: pass
    servers = [s for s in servers if not (s.over and s.number > count)]
    shorts = [s for s in shorts if not s.over]
    if next_short <= now and len(shorts) < 50 and not ending:
        shorts.append(Short()); next_short = now + 0.005
    if not said and all(c.other and c.got > 1000 for c in clients):
        print("started", flush=True); said = True
    if not ending and os.path.exists("/run/end"):
        ending = True
        for e in clients: e.over or e.wants(3)
    if now - began > 400:
        problems.append("timed out after 400 s"); break
moved = sum(c.sent + c.got for c in clients)
for p in problems[:10]: print(p)
print(f"done sessions={len(clients)} lost={sum(c.lost for c in clients)}",
      f"problems={len(problems)} refused={refused} short={short} moved={moved}", flush=True)
