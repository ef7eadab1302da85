"""A thousand misbehaving clients of the control socket, in one thread that never ends."""
import json
import select
import socket

CLIENTS = 1000
STATUS = json.dumps({"method": "io.verypoll.Daemon.GetStatus"}).encode() + b"\0"
ONEWAY = STATUS.replace(b"}", b', "oneway": true}')
MONITOR = json.dumps({"method": "io.verypoll.Daemon.Monitor", "more": True}).encode() + b"\0"
# The bytes that each kind of client sends, and whether it repeats them; none of them ever reads.
KINDS = [
    (b"", False),  # Stays silent.
    (STATUS[:20], False),  # Never completes its call.
    (b'{"method": [}\0', False),  # Does not speak JSON.
    (b"x" * (1 << 20) + b"\0", False),  # Has a message of one byte too much.
    (STATUS * 2000, False),  # Pipelines thousands of calls.
    (ONEWAY * 100, True),  # Calls nonstop, without answers.
    (MONITOR, False),  # Monitors all events.
    (None, False),  # Disconnects at once.
]


class Client:
    """One of the clients, which reconnects when it is disconnected."""

    def __init__(self, kind, path, poll, clients):
        self.data, self.isEndless = KINDS[kind % len(KINDS)]
        self.path, self.poll, self.clients = str(path), poll, clients
        self.socket, self.offset = None, 0

    def leave(self):
        if self.socket:
            self.poll.unregister(self.socket)
            del self.clients[self.socket.fileno()]
            self.socket.close()
        self.socket, self.offset = None, 0

    def come(self):
        """Connects; returns whether the backlog had room."""
        connecting = socket.socket(socket.AF_UNIX)
        connecting.setblocking(False)
        try:
            connecting.connect(self.path)
        except OSError:
            connecting.close()
            return False
        self.socket = connecting
        self.clients[connecting.fileno()] = self
        self.poll.register(connecting, 0)  # Only for hang-ups and errors.
        return True

    def work(self):
        """Does one step; returns whether the client has connected."""
        has_come = False
        if self.socket is None:
            has_come = self.come()
            if not has_come:
                return False
        if self.data is None:
            self.leave()
        elif self.offset < len(self.data):
            try:
                self.offset += self.socket.send(self.data[self.offset:self.offset + (1 << 16)])
            except BlockingIOError:
                pass
            except OSError:
                self.leave()
            else:
                if self.isEndless and self.offset == len(self.data):
                    self.offset = 0
        return has_come


def control(path):
    """Runs 1,000 misbehaving clients of the control socket."""
    poll, clients, made = select.poll(), {}, 0
    everyone = [Client(kind, path, poll, clients) for kind in range(CLIENTS)]
    while True:
        for client in everyone:
            made += client.work()
        for number, _ in poll.poll(0):
            clients[number].leave()
        yield made
