"""A client of the control socket, with a minimal Varlink implementation."""
import json
import socket

DAEMON = "io.verypoll.Daemon"


class Refusal(Exception):
    """An error that the daemon returned; its name is the first argument."""


class Control:
    """A connection that makes one call after another."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        call = {"method": method if "." in method else f"{DAEMON}.{method}", **flags}
        if parameters:
            call["parameters"] = parameters
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        """Returns the parameters of the next reply."""
        while b"\0" not in self.pending:
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("the daemon closed the control connection")
            self.pending += data
        message, _, self.pending = self.pending.partition(b"\0")
        reply = json.loads(message)
        if "error" in reply:
            raise Refusal(reply["error"], reply.get("parameters"))
        return reply.get("parameters", {})

    def call(self, method, parameters=None):
        self.send(method, parameters)
        return self.receive()

    def methods(self):
        """Returns the names of the methods that the daemon has."""
        text = self.call("org.varlink.service.GetInterfaceDescription",
                         {"interface": DAEMON})["description"]
        return {line.split()[1].partition("(")[0] for line in text.splitlines()
                if line.startswith("method ")}
