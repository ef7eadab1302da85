"""The scenarios: which servers, under which load."""
import dataclasses
import pathlib
import shlex
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"
BIN = BUILD / "bin"
SWIFT = BUILD / "release"
NIO = ROOT / "peers" / "nio" / ".build" / "release"
MEBIBYTE = 1 << 20


@dataclasses.dataclass
class Scenario:
    """One kind of server under one load; see processes.Server for placeholders in commands."""

    name: str
    # The counted operation: request, connection, session or, if bytes matter, MiB.
    operation: str
    servers: dict
    # The load program, and its arguments after the ports, seconds, connections and slice length.
    load: list
    connections: list
    # The server to which the ratios refer.
    base: str = "c"
    is_of_proxies: bool = False
    # Whether the memory of idle connections is measured, rather than the cost of requests.
    is_idle: bool = False
    # Whether the servers use both cores and several threads, whose shares are shown.
    is_threaded: bool = False
    # Whether the proxies read the TLS server name and route by it.
    is_by_name: bool = False
    # Returns the command of a build of the daemon, whose path has been quoted.
    daemon: Callable[[str], str] | None = None
    # The command of the server behind the proxies; None if the load includes the server.
    backend: str | None = None
    # Messages per second, for an open load.
    rates: list = dataclasses.field(default_factory=list)
    # The default number of seconds that a server is measured per round.
    seconds: float = 1
    # How long the load uses one server before it moves to the next, in milliseconds.
    slice_ms: int | None = None

    def load_command(self, ports, seconds, connections):
        # With many connections, the beginning and the end of a slice do not use all of them.
        slice_ms = self.slice_ms or (50 if connections < 256 else 200)
        program, *arguments = map(str, self.load)
        return [program, ",".join(map(str, ports)), str(seconds), str(connections), str(slice_ms),
                *arguments]

    def commands(self, chosen):
        named = {name: command for name, command in self.servers.items()
                 if not chosen.servers or name in chosen.servers}
        if chosen.before:
            named["before"] = self.daemon(shlex.quote(str(chosen.before.resolve())))
        return named | dict(server.split("=", 1) for server in chosen.server)

    @property
    def cost_unit(self):
        """Returns the unit of the cost, and the factor for the CPU seconds per operation."""
        if self.operation == "MiB":
            return "s / GB", 1e9 / MEBIBYTE
        return f"µs / {self.operation}", 1e6

    @property
    def rate_unit(self):
        if self.operation == "MiB":
            return "Gbit/s", MEBIBYTE * 8 / 1e9
        return f"{self.operation}s/s", 1


LIBRARY = {
    "echo": Scenario(
        name="echo",
        operation="request",
        servers={
            "verypoll": f"{SWIFT}/echo {{port}}",
            "c": f"{BIN}/c-echo {{port}}",
            "mio": f"{BIN}/mio-echo {{port}}",
            "libuv": f"{BIN}/libuv-echo {{port}}",
            "libev": f"{BIN}/libev-echo {{port}}",
            "nio": f"{NIO}/nio-echo {{port}}",
            "async": f"{SWIFT}/async-echo {{port}}",
            "async-deadline": f"{SWIFT}/async-echo {{port}} deadline",
            "async-lean": f"{SWIFT}/async-echo {{port}} lean",
            "nio-async": f"{NIO}/nio-async-echo {{port}}",
        },
        load=[BIN / "echoload", 64],
        connections=[1, 64, 1000],
    ),
    "threads": Scenario(
        name="echo-threads",
        operation="request",
        servers={
            "async": f"{SWIFT}/async-echo {{port}}",
            "async-1": f"{SWIFT}/async-echo {{port}} threads 1",
            "async-2": f"{SWIFT}/async-echo {{port}} threads 2",
        },
        base="async",
        load=[BIN / "echoload", 64],
        connections=[64, 1000],
        is_threaded=True,
    ),
    "drop": Scenario(
        name="accept-and-drop",
        operation="connection",
        servers={
            "verypoll": f"{SWIFT}/drop {{port}}",
            "c": f"{BIN}/c-drop {{port}}",
            "mio": f"{BIN}/mio-drop {{port}}",
            "libuv": f"{BIN}/libuv-drop {{port}}",
            "nio": f"{NIO}/nio-drop {{port}}",
            "async": f"{SWIFT}/async-drop {{port}}",
            "nio-async": f"{NIO}/nio-async-drop {{port}}",
        },
        load=[BIN / "connrate"],
        connections=[64],
    ),
    "idle": Scenario(
        name="idle",
        operation="connection",
        servers={
            "verypoll": f"{SWIFT}/echo {{port}}",
            "c": f"{BIN}/c-echo {{port}}",
            "nio": f"{NIO}/nio-echo {{port}}",
            "async": f"{SWIFT}/async-echo {{port}}",
            "async-lean": f"{SWIFT}/async-echo {{port}} lean",
            "nio-async": f"{NIO}/nio-async-echo {{port}}",
        },
        load=[BIN / "idle", 64],
        connections=[10_000],
        is_idle=True,
    ),
}
