"""Real name servers with the SRV records of one service, and a relay before them that can fail."""
import asyncio
import contextlib
import os
import signal
import socket
import struct
import time

import dns_messages

DOMAIN = "pool.test"
NAME = f"_app._tcp.{DOMAIN}"
# The port of the relay's address at which a name server fails, for dnsmasq to ask.
FAILING_PORT = 5301
SO_TIMESTAMPNS = 35
LIMIT = 30


async def until(what, condition):
    """Waits until an asynchronous condition is true, and returns its value."""
    end = time.monotonic() + LIMIT
    while not (value := await condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited too long for {what}")
        await asyncio.sleep(0.02)
    return value


async def ask_datagram(address, query):
    """Asks over UDP; returns `None` without an answer in time."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(address)
        try:
            await loop.sock_sendall(client, query)
            return await asyncio.wait_for(loop.sock_recv(client, 65535), 5)
        except (OSError, asyncio.TimeoutError):
            return None


async def ask_stream(address, query):
    """Asks over TCP; returns `None` without an answer."""
    try:
        reader, writer = await asyncio.open_connection(*address)
        with contextlib.closing(writer):
            writer.write(struct.pack(">H", len(query)) + query)
            size = struct.unpack(">H", await reader.readexactly(2))[0]
            return await reader.readexactly(size)
    except (OSError, asyncio.IncompleteReadError):
        return None


def free_address():
    """Returns an address of 127.0.0.1, the only one at which BIND listens, that is not in use."""
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        stream.bind(("127.0.0.1", 0))
        datagrams.bind(stream.getsockname())
        return stream.getsockname()


class NameServer:
    """A real name server, whose only service has the records that were last published.

    The address of all servers of the service is `host`.
    """

    def __init__(self, folder, host):
        self.folder, self.host, self.address = folder, host, free_address()
        self.process = None
        self.serial = 0

    # The ports of records whose targets have no address.
    lost = ()

    def zone(self, records, time_to_live):
        """Returns the lines of a zone; `records` are as for `publish`."""
        self.serial += 1
        lines = [f"$ORIGIN {DOMAIN}.", f"$TTL {time_to_live}",
                 f"@ SOA ns hostmaster {self.serial} 3600 600 86400 1", "@ NS ns",
                 f"ns A {self.host}"]
        if records == ".":
            return lines + ["_app._tcp SRV 0 0 0 ."]
        lines += [f"node{port} A {self.host}" 
                  for port in {port for _, _, port in records} - set(self.lost)]
        return lines + [f"_app._tcp SRV {priority} {weight} {port} node{port}"
                        for priority, weight, port in records]

    async def publish(self, records, time_to_live=1):
        """Serves the records instead of the former ones.

        `records` is a list of priorities, weights and ports, `.` for a service that is not offered,
        or empty for a name that does not exist.
        """
        await self.serve(records, time_to_live)
        # dnsmasq gives the target "." the port 1.
        expected = [[(0, 0, 0)], [(0, 0, 1)]] if records == "." else [sorted(records)]

        async def is_served():
            answer = await ask_stream(self.address, dns_messages.question(NAME))
            if answer is None or dns_messages.code(answer) != (0 if records else 3):
                return False
            found = list(dns_messages.services(answer))
            return (sorted(fields for fields, _ in found) in expected
                    and all(rest == time_to_live for _, rest in found))

        await until(f"{type(self).__name__} to serve {records or 'no records'}", is_served)

    async def fail(self):
        """Answers with SERVFAIL from now on."""
        await self.serve_failure()

        async def is_failing():
            answer = await ask_datagram(self.address, dns_messages.question(NAME))
            return answer is not None and dns_messages.code(answer) == 2

        await until(f"{type(self).__name__} to fail", is_failing)

    async def start(self, *words):
        with open(self.folder / "log", "a") as log:
            self.process = await asyncio.create_subprocess_exec(*words, stdout=log, stderr=log)

    async def stop(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            await self.process.wait()
            self.process = None


class DNSMasq(NameServer):
    async def serve(self, records, time_to_live):
        words = ["--srv-host=" + NAME] if records == "." else []
        if records != ".":
            for priority, weight, port in records:
                node = f"node{port}.{DOMAIN}"
                words.append(f"--srv-host={NAME},{node},{port},{priority},{weight}")
                if port not in self.lost:
                    words.append(f"--host-record={node},{self.host}")
        await self.restart(f"--local-ttl={time_to_live}", f"--local=/{DOMAIN}/", *words)

    async def serve_failure(self):
        await self.restart(f"--server=/{DOMAIN}/{self.host}#{FAILING_PORT}")

    async def restart(self, *words):
        await self.stop()
        await self.start(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--pid-file=", "--user=root", "--log-facility=-", "--listen-address=127.0.0.1",
            "--bind-interfaces", f"--port={self.address[1]}", *words)


class ZoneServer(NameServer):
    """A name server that reads its zone from a file again when it gets SIGHUP."""

    async def serve(self, records, time_to_live):
        (self.folder / "zone").write_text("\n".join(self.zone(records, time_to_live)) + "\n")
        if self.process and not self.is_broken:
            self.process.send_signal(signal.SIGHUP)
        else:
            await self.restart()
        self.is_broken = False

    async def serve_failure(self):
        # A running server keeps its zone if the file is broken.
        (self.folder / "zone").write_text("this is not a zone\n")
        self.is_broken = True
        await self.restart()

    is_broken = False

    async def restart(self):
        await self.stop()
        self.write_settings()
        await self.start(*self.words)


class Knot(ZoneServer):
    def write_settings(self):
        (self.folder / "knot.conf").write_text(f"""\
server:
  rundir: {self.folder}
  listen: 127.0.0.1@{self.address[1]}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: {self.folder}
zone:
  - domain: {DOMAIN}
    file: {self.folder}/zone
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
""")
        self.words = ["knotd", "-c", str(self.folder / "knot.conf")]


class BIND(ZoneServer):
    def write_settings(self):
        (self.folder / "named.conf").write_text(f"""\
options {{
    directory "{self.folder}";
    listen-on port {self.address[1]} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{}};
zone "{DOMAIN}" {{ type primary; file "zone"; }};
""")
        self.words = ["named", "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


KINDS = {"dnsmasq": DNSMasq, "knot": Knot, "bind": BIND}


class Relay:
    """Passes questions on to a name server, notes them, and can spoil the answers.

    The mode is `pass`, or:

    drop      questions are lost
    nameless  questions for addresses are lost
    garbage   the answers over UDP are no answers
    stream    the answers over UDP are truncated, and those over TCP are no answers
    """

    def __init__(self, address, server):
        self.address, self.server = address, server
        self.mode = "pass"
        # The times of the questions for the service, as the kernel has noted them.
        self.questions = []
        self.counts = {"truncated": 0, "streams": 0, "largest stream": 0}

    async def begin(self):
        loop = asyncio.get_running_loop()
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.datagrams.setblocking(False)
        self.datagrams.bind((self.address, 53))
        self.tasks = set()
        loop.add_reader(self.datagrams, self.receive)
        self.streams = await asyncio.start_server(self.accept, self.address, 53)
        failing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        failing.setblocking(False)
        failing.bind((self.address, FAILING_PORT))
        loop.add_reader(failing, self.fail, failing)

    def fail(self, failing):
        """Answers a question with SERVFAIL."""
        query, sender = failing.recvfrom(4096)
        failing.sendto(dns_messages.error(query, 2), sender)

    def receive(self):
        query, notes, _, sender = self.datagrams.recvmsg(4096, 64)
        if dns_messages.kind(query) == dns_messages.SERVICE:
            seconds, nanoseconds = struct.unpack("qq", notes[0][2][:16])
            self.questions.append(seconds + nanoseconds / 1e9)
        elif self.mode == "nameless":
            return
        task = asyncio.create_task(self.reply(query, sender))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def reply(self, query, sender):
        mode = self.mode
        if mode == "drop":
            return
        # The name server may be restarting.
        end = time.monotonic() + 1
        while (right := await ask_datagram(self.server, query)) is None and time.monotonic() < end:
            await asyncio.sleep(0.02)
        if mode == "stream":
            right = dns_messages.truncated(query)
        for message in [] if right is None else (
                dns_messages.garbage(query, right) if mode == "garbage" else [right]):
            if mode == "pass":
                self.counts["truncated"] += dns_messages.is_truncated(message)
            with contextlib.suppress(OSError):
                self.datagrams.sendto(message, sender)

    async def accept(self, reader, writer):
        self.counts["streams"] += 1
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                size = struct.unpack(">H", await reader.readexactly(2))[0]
                query = await reader.readexactly(size)
                right = await ask_stream(self.server, query)
                if right is None:
                    return
                for message in ([right] if self.mode == "pass"
                                else dns_messages.garbage(query, right)):
                    if self.mode == "pass":
                        self.counts["largest stream"] = max(
                            self.counts["largest stream"], len(right))
                    writer.write(struct.pack(">H", len(message)) + message)
                await writer.drain()


def launcher(folder, address):
    """Returns words that start a program for which this is the only name server."""
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {address}\n")
    script = f'mount --bind {resolv} /etc/resolv.conf && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sh"]


def log_end(folder):
    """Returns the last lines of a program's log."""
    with contextlib.suppress(OSError):
        size = os.path.getsize(folder / "log")
        with open(folder / "log", errors="replace") as log:
            log.seek(max(0, size - 3000))
            return log.read()
    return ""
