"""Runs verypolld with the status page, 200 servers behind it, and clients that send traffic."""
import asyncio
import contextlib
import json
import pathlib
import random
import socket
import subprocess
import tempfile
import threading
import time

WAIT = 30
UPSTREAMS = {"api": 8, "db": 3, "mail": 9, "web": 180}
LISTENERS = {"api": "api", "postgres": "db", "smtp": "mail", "web": "web"}
# The clients of each listener, and the most bytes that a server answers.
CLIENTS = {"api": (12, 60_000), "postgres": (6, 9_000), "smtp": (2, 3_000), "web": (30, 200_000)}


class Servers(threading.Thread):
    """Servers that answer each message with a random number of bytes, and their clients."""

    def __init__(self):
        super().__init__(daemon=True)
        self.loop = asyncio.new_event_loop()
        self.addresses, self.listening = {}, {}
        self.tasks = []
        self.start()
        for group, (name, count) in enumerate(UPSTREAMS.items()):
            self.addresses[name] = [self.bind(name, group, at) for at in range(count)]

    def run(self):
        self.loop.run_forever()

    def do(self, work):
        """Runs a coroutine on the thread of the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT)

    def bind(self, name, group, index):
        """Starts a server, and returns its address."""
        host = f"127.0.{10 + group}.{index + 1}"
        probe = socket.create_server((host, 0))
        port = probe.getsockname()[1]
        self.listening[f"{host}:{port}"] = (name, probe)
        self.do(self.serve(f"{host}:{port}"))
        return f"{host}:{port}"

    async def serve(self, address):
        name, probe = self.listening[address]
        most = {LISTENERS[key]: size for key, (_, size) in CLIENTS.items()}[name]

        async def answer(reader, writer):
            with contextlib.suppress(OSError):
                while await reader.read(4096):
                    writer.write(bytes(random.randrange(most // 4, most)))
                    await writer.drain()
                writer.close()

        self.listening[address] = (name, await asyncio.start_server(answer, sock=probe))

    def stop(self, address):
        """Stops a server, so that connections to it are refused."""
        async def close():
            self.listening[address][1].close()
        self.do(close())

    def load(self, name, address):
        """Starts the clients of a listener."""
        count, _ = CLIENTS[name]
        host, port = address.rsplit(":", 1)

        async def client():
            while True:
                with contextlib.suppress(OSError, asyncio.TimeoutError):
                    reader, writer = await asyncio.open_connection(host, port)
                    for _ in range(random.randrange(1, 40)):
                        writer.write(bytes(random.randrange(50, 3000)))
                        await asyncio.wait_for(reader.read(1 << 18), 5)
                        await asyncio.sleep(random.uniform(0.02, 0.6))
                    writer.close()
                await asyncio.sleep(random.uniform(0.05, 0.4))

        async def begin():
            self.tasks += [asyncio.ensure_future(client()) for _ in range(count)]
        self.do(begin())


class Lab:
    """A daemon with the page; use it in a `with` statement."""

    def __init__(self, programs, servers=None, upstreams=None):
        self.programs = pathlib.Path(programs)
        self.servers = servers
        self.upstreams = upstreams or servers.addresses
        self.limits = {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="verypoll-page-")
        self.file = pathlib.Path(self.folder.name, "verypolld.json")
        self.control = pathlib.Path(self.folder.name, "control")
        self.listen = {name: "127.0.0.1:0" for name in [*LISTENERS, "metrics"]}
        self.write()
        self.start()
        for listener in self.status()["listeners"]:
            self.listen[listener["name"]] = listener["addresses"][0]["address"]
        self.write()
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()

    @property
    def url(self):
        """The address of the page."""
        return f"http://{self.listen['metrics']}/"

    def write(self, broken=False):
        """Writes the configuration file."""
        listeners = {"metrics": {"listen": [self.listen["metrics"]],
                                 "handler": {"type": "metrics", "page": True}}}
        for name, upstream in LISTENERS.items():
            if upstream in self.upstreams:
                used = "nobody" if broken else upstream
                listeners[name] = {"listen": [self.listen[name]],
                                   "handler": {"type": "proxy", "upstream": used}}
                listeners[name] |= self.limits.get(name, {})
        check = {"interval": "1s", "timeout": "900ms", "rise": 1, "fall": 1}
        upstreams = {name: {"servers": servers, "balance": "leastSessions", "check": check}
                     for name, servers in self.upstreams.items()}
        self.file.write_text(json.dumps({
            "workers": 2, "control": {"socket": str(self.control)},
            "listeners": listeners, "upstreams": upstreams}))

    def start(self):
        """Starts the daemon, and waits until it serves."""
        log = open(pathlib.Path(self.folder.name, "log"), "a")
        self.process = subprocess.Popen(
            [self.programs / "verypolld", "--config", self.file], stderr=log)
        deadline = time.monotonic() + WAIT
        while self.ask("ping").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(pathlib.Path(self.folder.name, "log").read_text())
            time.sleep(0.05)

    def stop(self):
        """Stops the daemon."""
        self.process.terminate()
        time.sleep(0.05)
        self.process.terminate()
        self.process.wait()

    def ask(self, *words):
        """Runs verypollctl."""
        return subprocess.run(
            [self.programs / "verypollctl", "--socket", self.control, *words],
            capture_output=True, text=True)

    def status(self):
        """Returns the status over the control socket."""
        return json.loads(self.ask("status", "--json=short").stdout)

    def load(self):
        """Starts the clients."""
        for name in CLIENTS:
            self.servers.load(name, self.listen[name])

    def break_down(self):
        """Stops some servers, drains one, fills a listener, and has a reload refused."""
        web, api = self.upstreams["web"], self.upstreams["api"]
        for address in (web[3], web[17], web[90], self.upstreams["db"][0]):
            self.servers.stop(address)
        self.ask("server", "set", "api", api[2], "--state", "drain")
        self.limits["postgres"] = {"maxSessions": 4}
        self.write()
        self.ask("reload")
        self.write(broken=True)
        self.ask("reload")
        self.write()
