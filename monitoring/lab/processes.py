"""The processes of a trial: the daemon, its servers, and a Prometheus server.

Each ends with its `with` statement. The kernel chooses all ports.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The longest that anything may take on a busy machine, in seconds.
PATIENCE = 120


class Failure(Exception):
    """A result that the trial did not expect."""


def eventually(subject, condition):
    """Returns the first true value of a condition; `subject` names it in the error."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise Failure(f"no {subject} within {PATIENCE} s")


class Process:
    """A program whose output goes to a file."""

    def __init__(self, words, log):
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait_for(self, pattern):
        """Waits for a line of the output; returns the match."""
        def found():
            match = re.search(pattern, self.log.read_text(errors="replace"))
            if not match and self.process.poll() is not None:
                raise Failure(f"{self.process.args[0]} has exited:\n{self.log.read_text()}")
            return match
        return eventually(f'"{pattern}" in {self.log}', found)


class Server:
    """An echo server that can be killed and started again; its port stays its own meanwhile."""

    def __init__(self, folder, name):
        # A bound socket that does not listen reserves the port, and refuses connections.
        self.reservation = socket.socket()
        self.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.reservation.bind(("127.0.0.1", 0))
        self.port = self.reservation.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.log = folder / f"{name}.log"
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.reservation.close()

    def start(self):
        program = pathlib.Path(__file__).parent / "server.py"
        self.process = Process([sys.executable, str(program), str(self.port)], self.log)
        self.process.wait_for("ready")

    def kill(self):
        if self.process:
            self.process.kill()


class Daemon(Process):
    """A daemon, with its files in a folder."""

    def __init__(self, program, folder, configuration):
        self.file = folder / "verypolld.json"
        self.socket = str(folder / "control.sock")
        self.write(configuration)
        super().__init__([str(program), "--config", str(self.file)], folder / "verypolld.log")
        self.wait_for("is ready")

    def write(self, configuration):
        text = json.dumps({"control": {"socket": self.socket}, **configuration})
        self.file.write_text(text)

    def call(self, method, parameters=None):
        """Makes a Varlink call; returns the reply, errors included."""
        call = {"method": f"io.verypoll.Daemon.{method}", "parameters": parameters or {}}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.socket)
            connection.sendall(json.dumps(call).encode() + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                data = connection.recv(1 << 16)
                if not data:
                    raise Failure("the daemon closed the control connection")
                reply += data
        return json.loads(reply[:-1])

    def ports(self):
        """Returns the port of each listener."""
        found = self.call("ListListeners")["parameters"]["listeners"]
        return {listener["name"]: int(listener["addresses"][0]["address"].rpartition(":")[2])
                for listener in found}


def prometheus_path(program):
    """Returns the path of a program of Prometheus, where Scripts/install-dependencies puts it."""
    unpacked = os.environ.get("PROMETHEUS_DIRECTORY", ROOT / ".build-prometheus/usr/bin")
    found = shutil.which(program, path=str(unpacked)) or shutil.which(program)
    if not found:
        raise Failure(f"{program} is not installed; run Scripts/install-dependencies test")
    return found


class Prometheus(Process):
    """A Prometheus server that scrapes a port and evaluates rules, both each second."""

    def __init__(self, folder, port, rules):
        configuration = folder / "prometheus.yml"
        # JSON is YAML, too.
        configuration.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{
                "job_name": "verypolld", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }],
        }))
        super().__init__([
            prometheus_path("prometheus"), f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}", "--web.listen-address=127.0.0.1:0",
        ], folder / "prometheus.log")
        self.wait_for("Server is ready to receive")
        self.address = self.wait_for(r'"Listening on" address=(\S+)').group(1)

    def ask(self, path, **arguments):
        """Returns the data of an answer of the HTTP API."""
        words = urllib.parse.urlencode(arguments, doseq=True)
        try:
            url = f"http://{self.address}/api/v1/{path}?{words}"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Failure(f"{arguments}: {error.read().decode()}") from error

    def alerts(self):
        """Returns the labels and the state of all alerts that are pending or firing."""
        return self.ask("alerts")["alerts"]
