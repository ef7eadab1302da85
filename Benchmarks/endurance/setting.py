"""The tested daemon: its configuration, its process, and its resource usage."""
import json
import os
import pathlib
import resource
import socket
import subprocess
import time

from .control import Control

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
TCP = ("probed", "app", "named", "echo", "discard", "daytime", "chargen", "drop", "metrics",
       "inspected", "spare")
WORKERS = 2
# The descriptors of the pipes that the workers keep for later sessions.
KEPT_DESCRIPTORS = WORKERS * 16 * 2


def free_ports(count):
    """Returns free ports; they are probed at the same time, so that they all differ."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


class Setting:
    """The paths and ports of a run, and its daemon."""

    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        self.ports = dict(zip(TCP, free_ports(len(TCP))))
        self.server_ports = free_ports(2)
        self.control_path = self.folder / "control"
        self.file = self.folder / "verypolld.json"
        self.log = self.folder / "verypolld.log"
        self.program = program
        self.generation = 0
        self.process = None

    def servers(self):
        """Returns the addresses of the servers that are killed from time to time."""
        return [("127.0.0.1", port) for port in self.server_ports] + [f"{self.folder}/server"]

    def configuration(self):
        """Returns a configuration with every feature; limits and timeouts vary by generation."""
        change = self.generation % 7
        proxy = [{"type": "proxy", "upstream": name} for name in ("calm", "app", "named")]
        handlers = dict(zip(TCP, proxy)) | {name: {"type": name} for name in TCP[3:-2]}
        handlers["spare"] = {"type": "echo"}
        handlers["metrics"]["page"] = bool(change % 2)
        handlers["inspected"] = {
            "type": "proxy", "inspect": "tls", "upstream": "calm", "notTLS": "calm",
            "routes": {"names": {"serverNames": ["*.example.com", f"{change}.example.com"],
                                 "upstream": "calm"},
                       "h2": {"serverNames": ["*.example.com"], "alpn": ["h2"],
                              "upstream": "calm"}}}
        listeners = {name: {"listen": [f"127.0.0.1:{self.ports[name]}"], "handler": handler,
                            "maxSessions": 3000 + change,
                            "timeouts": {"idle": f"{60 + change}s", "lifetime": "10min"}}
                     for name, handler in handlers.items()}
        listeners["app"]["listen"].append(f"unix:{self.folder}/app")
        listeners["app"]["acceptRate"] = {"perSecond": 2000 + change, "burst": 4000}
        listeners["echo"]["listen"].append(f"unix:{self.folder}/echo")
        listeners["echo"]["timeouts"] = {"firstByte": f"{3 + change}s", "idle": "10s"}
        listeners["named"]["proxyProtocol"] = {"from": ["127.0.0.0/8"], "timeout": "2s"}
        listeners["named"]["maxSessionsPerSource"] = 500 + change
        listeners["inspected"]["timeouts"]["inspect"] = f"{2 + change}s"
        listeners["echo"]["log"] = {"sessions": change % 2 == 0}
        blocks = self.folder / "blocks.txt"
        blocks.write_text("".join(f"10.{change}.{n}.0/24\n" for n in range(200 + change)))
        listeners["drop"]["deny"] = [f"10.0.0.{change}", {"file": blocks.name}]
        servers = [f"127.0.0.1:{port}" for port in self.server_ports]
        unix = f"unix:{self.folder}/server"
        check = {"interval": "1s", "timeout": "500ms", "rise": 1, "fall": 2}
        included = self.folder / "upstreams.json"
        calm = {"servers": [f"unix:{self.folder}/echo"], "connectTimeout": f"{3 + change}s"}
        included.write_text(json.dumps({"upstreams": {"calm": calm}}))
        check_by_type = {**check, "type": "connect", "interval": f"{900 + change}ms"}
        return {
            "include": ["*s.json"],
            "workers": WORKERS,
            "control": {"socket": str(self.control_path)},
            "log": {"sessions": True, "format": ("text", "json")[change % 2]},
            "limits": {"maxSessions": 8000 + change},
            "drain": {"deadline": f"{5 + change}s"},
            "listeners": listeners,
            "upstreams": {
                "app": {"servers": [*servers, {"address": unix, "weight": 2,
                                               "maxSessions": 1000 + change}],
                        "slowStart": f"{2 + change}s",
                        "balance": "leastSessions", "check": check, "retry": {"for": "2s"}},
                "named": {"servers": [f"localhost:{self.server_ports[0]}", unix],
                          "balance": "sourceHash", "proxyProtocol": "v2",
                          "hashKey": ["source", "destination"][change % 2],
                          "check": check_by_type,
                          "resolve": {"every": "2s", "atMost": f"{60 + change}s"}},
            },
        }

    def write(self, text=None):
        """Replaces the configuration file with the next configuration, or with another text."""
        new = self.file.with_suffix(".new")
        new.write_text(text or json.dumps(self.configuration(), indent=2))
        new.rename(self.file)

    def start(self):
        """Starts the daemon, and returns when it serves."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.write()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.file], stderr=log,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)))
        for _ in range(600):
            try:
                if self.status()["state"] == "running":
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"the daemon did not start: {self.log.read_text()[-1000:]}")

    def status(self):
        with Control(self.control_path) as control:
            return control.call("GetStatus")

    def sample(self):
        """Returns the process's memory in bytes, descriptors, threads and CPU seconds."""
        root = pathlib.Path("/proc", str(self.process.pid))
        fields = (root / "stat").read_text().rpartition(")")[2].split()
        return {
            "resident": int((root / "statm").read_text().split()[1]) * PAGE,
            "descriptors": len(os.listdir(root / "fd")),
            "threads": int(fields[17]),
            "cpu": (int(fields[11]) + int(fields[12])) / TICKS,
        }
