"""Collects the metrics of a service as systemd-report does, and prints them as JSON.

Arguments: the socket, and the interfaces that the service must have besides org.varlink.service.
Prints an object with `metrics`, the replies of List, and `families`, those of Describe.
"""
import json, socket, sys

path, *interfaces = sys.argv[1:]
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(30)
connection.connect(path)
received = connection.makefile("rb")


def message():
    data = b""
    while not data.endswith(b"\0"):
        byte = received.read(1)
        assert byte, "the service has closed the connection"
        data += byte
    return json.loads(data[:-1])


def call(method, **flags):
    """Returns the parameters of all replies to a call."""
    connection.sendall(json.dumps({"method": method, **flags}).encode() + b"\0")
    replies = []
    while True:
        reply = message()
        assert "error" not in reply, reply
        replies.append(reply.get("parameters", {}))
        if not reply.get("continues"):
            return replies


info = call("org.varlink.service.GetInfo")[0]
assert info["interfaces"] == ["org.varlink.service", *interfaces], info
metrics = call("io.systemd.Metrics.List", more=True)
families = call("io.systemd.Metrics.Describe", more=True)

types = {family["name"]: family["type"] for family in families}
assert len(types) == len(families), "a family is described twice"
for metric in metrics:
    name, value = metric["name"], metric["value"]
    assert name.startswith("io.verypoll.Daemon."), metric
    assert isinstance(value, str if types[name] == "string" else (int, float)), metric
    assert all(isinstance(text, str) for text in metric.get("fields", {}).values()), metric
print(json.dumps({"metrics": metrics, "families": families}))
