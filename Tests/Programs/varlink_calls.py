"""Calls every method of the daemon, provokes its errors, and prints the names of the errors.

Arguments: the control socket, the configuration file, and the port of the listener `echo`. Requires
the package `varlink` from PyPI. The last call stops the daemon.
"""
import os, signal, socket, sys, varlink

path, file, port = sys.argv[1:]
client = varlink.Client.new_with_address("unix:" + path)
daemon = client.open("io.verypoll.Daemon")
service = client.open("io.systemd.service")
errors = []


def fails(name, call, **parameters):
    try:
        call(**parameters)
    except varlink.VarlinkError as error:
        errors.append(error.error())
        full = name if "." in name else "io.verypoll.Daemon." + name
        assert error.error() == full, error
        return error.parameters()
    raise AssertionError(name + " was not raised")


events = client.open("io.verypoll.Daemon").Monitor(_more=True)
status = next(events)
assert status["event"] == "status" and status["status"]["state"] == "running", status
assert status["status"]["pid"] == daemon.GetStatus()["pid"]
peer = socket.create_connection(("127.0.0.1", int(port)))
opened = next(events)
assert opened["event"] == "session-opened", opened
number = opened["session"]["id"]
assert daemon.GetSession(number)["session"]["listener"] == "echo"
assert daemon.ListSessions(listener="echo", limit=5)["sessions"][0]["id"] == number
assert daemon.ListSessions(upstream="app")["sessions"] == []
daemon.KillSession(number)
closed = next(events)
assert (closed["event"], closed["session"]["id"]) == ("session-closed", number), closed
assert closed["reason"] == "killed"
killed = next(events)
assert (killed["event"], killed["count"]) == ("sessions-killed", 1), killed
assert killed["session"]["id"] == number, killed
assert killed["caller"]["pid"] == os.getpid() and killed["caller"]["uid"] == os.getuid(), killed
assert killed["caller"]["command"].startswith("python"), killed
assert daemon.KillSessions(peer="10.99.0.0/16")["count"] == 0
assert next(events)["count"] == 0
assert [one["name"] for one in daemon.ListListeners()["listeners"]] == ["echo", "web"]
assert daemon.ListUpstreams()["upstreams"][0]["servers"][0]["mode"] == "up"
assert daemon.RankServers(key="192.0.2.7")["rankings"] == []
assert fails("UpstreamNotFound", daemon.RankServers, key="a", upstream="x") == {"upstream": "x"}
assert daemon.RankServers(key="a.example", upstream="app")["rankings"] == []
assert daemon.GetMetrics()["text"].endswith("# EOF\n")
daemon.SetServer("app", "127.0.0.1:9", "drain", 7)
server = daemon.ListUpstreams()["upstreams"][0]["servers"][0]
assert (server["mode"], server["weight"]) == ("drain", 7), server
for kind in "server-set", "server-down":
    told = next(events)
    assert (told["event"], told["upstream"]) == (kind, "app"), told
daemon.SetServer(upstream="app", server="127.0.0.1:9", weight=1)
told = next(events)
assert (told["event"], told["server"]["weight"]) == ("server-set", 1), told
daemon.Drain("web", "1min")
assert daemon.ListListeners()["listeners"][1]["state"] == "drained"
begun = next(events)
assert (begun["event"], begun["listener"]["name"]) == ("drain-begun", "web"), begun
assert begun["caller"]["pid"] == os.getpid(), begun
states = []
while "drained" not in states:
    told = next(events)
    assert (told["event"], told["listener"]["name"]) == ("listener-changed", "web"), told
    states.append(told["listener"]["state"])
assert states in (["drained"], ["draining", "drained"]), states
assert next(events)["event"] == "drain-done"
daemon.Resume("web")
assert next(events)["event"] == "drain-ended"
assert daemon.ListListeners()["listeners"][1]["state"] == "accepting"
assert next(events)["listener"]["state"] == "accepting"
config = daemon.GetConfig()
assert config["path"] == file and config["config"]["workers"] == 2, config
text = open(file).read()
assert daemon.CheckConfig(text)["changes"] == []
other = text.replace('"1h"', '"2h"')
changes = daemon.CheckConfig(other)["changes"]
assert [one["pointer"] for one in changes] == ["/listeners/echo/timeouts/idle"], changes
open(file, "w").write(other)
assert daemon.Reload()["changes"] == changes
reloaded = next(events)
assert (reloaded["event"], reloaded["changes"]) == ("reloaded", changes), reloaded
service.Ping()
service.Reload()
assert next(events)["changes"] == []
service.SetLogLevel(7)
assert daemon.GetStatus()["logLevel"] == "debug"

assert fails("ListenerNotFound", daemon.Drain, listener="x") == {"listener": "x"}
assert fails("ListenerNotFound", daemon.Resume, listener="x") == {"listener": "x"}
assert fails("ListenerNotFound", daemon.ListSessions, listener="x") == {"listener": "x"}
assert fails("UpstreamNotFound", daemon.ListSessions, upstream="x") == {"upstream": "x"}
server = {"upstream": "x", "server": "y"}
assert fails("UpstreamNotFound", daemon.SetServer, state="up", **server) == {"upstream": "x"}
server["upstream"] = "app"
assert fails("ServerNotFound", daemon.SetServer, state="up", **server) == server
for call in daemon.GetSession, daemon.KillSession:
    assert fails("SessionNotFound", call, id=4711) == {"id": 4711}
problems = fails("ConfigurationInvalid", daemon.CheckConfig, text="{\n1}")["problems"]
assert (problems[0]["line"], problems[0]["column"]) == (2, 1), problems
open(file, "w").write('{"workers": 0}')
problems = fails("ReloadFailed", daemon.Reload)["problems"]
assert {one["file"] for one in problems} == {file}, problems
assert "/workers" in [one["pointer"] for one in problems], problems
assert fails("ReloadFailed", service.Reload)["problems"] == problems
open(file, "w").write(other)
common = "org.varlink.service."
assert fails(common + "ExpectedMore", daemon.Monitor) == {}
assert fails(common + "InvalidParameter", daemon.Drain, deadline="soon") == {
    "parameter": "deadline"
}
assert fails(common + "InvalidParameter", daemon.KillSessions) == {"parameter": "all"}
assert fails(common + "InvalidParameter", daemon.ListSessions, peer="x") == {"parameter": "peer"}
assert fails("ServerNotFound", daemon.ListSessions, server="x") == {"upstream": "", "server": "x"}
assert fails(common + "InvalidParameter", service.SetLogLevel, level=8) == {"parameter": "level"}
peer = socket.create_connection(("127.0.0.1", int(port)))
while not daemon.ListSessions()["sessions"]:
    pass
os.kill(status["status"]["pid"], signal.SIGTERM)
while daemon.GetStatus()["state"] != "draining":
    pass
fails("Busy", daemon.Drain)
print(*sorted(set(errors)), sep="\n")
