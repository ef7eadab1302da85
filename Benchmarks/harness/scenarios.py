"""What is measured: which servers, under which load."""
import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".build" / "bin"
SWIFT = ROOT / ".build" / "release"
NIO = ROOT / "peers" / "nio" / ".build" / "release"


@dataclasses.dataclass
class Scenario:
    """One kind of server; commands are split at spaces, and {port} is filled in."""

    name: str
    operation: str
    servers: dict
    load: str
    connections: list
    # What the load takes beyond ports, seconds, connections and the length of a slice.
    arguments: tuple = ()

    def load_command(self, ports, seconds, connections):
        # With many connections, a slice begins and ends with turns that are not full.
        slice_ms = 50 if connections < 256 else 200
        return [str(BIN / self.load), ",".join(map(str, ports)), str(seconds), str(connections),
                str(slice_ms), *self.arguments]


SCENARIOS = {
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
        },
        load="echoload",
        connections=[1, 64, 1000],
        arguments=("64",),
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
        },
        load="connrate",
        connections=[64],
    ),
}
