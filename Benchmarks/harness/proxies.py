"""The scenarios for the daemon as a proxy, compared with other proxies."""
from . import latency
from .scenarios import BIN, ROOT, Scenario

DAEMON = ROOT.parent / ".build" / "release" / "verypolld"
FOREIGN = ROOT / "load" / "foreign"


def daemon(program):
    return f"{program} --config {{folder}}/verypolld.json --socket {{folder}}/control.sock"


SERVERS = {
    "verypolld": daemon(DAEMON),
    "c-copy": f"{BIN}/c-proxy {{port}} {{backend}} copy",
    "c-splice": f"{BIN}/c-proxy {{port}} {{backend}} splice",
    "haproxy": "haproxy -db -f {folder}/haproxy.cfg",
    "haproxy-auto": "env SPLICE=auto haproxy -db -f {folder}/haproxy.cfg",
    "haproxy-always": "env SPLICE=always haproxy -db -f {folder}/haproxy.cfg",
    "nginx": "nginx -e stderr -p {folder} -c {folder}/nginx-stream.conf",
    "socket-proxyd": "systemd-socket-activate -l 127.0.0.1:{port}"
                     " /lib/systemd/systemd-socket-proxyd --connections-max=20000"
                     " 127.0.0.1:{backend}",
}
ECHO = f"{BIN}/c-echo {{port}}"
NGINX = "nginx -e stderr -p {folder} -c {folder}/nginx-backend.conf"
CANNED = f"{BIN}/c-canned {{port}}"
IPERF = "iperf3 -s -p {port}"
REDIS = "redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no"


def scenario(name, backend, load, connections, operation="request"):
    return Scenario(
        name=name, operation=operation, servers=SERVERS, load=load, connections=connections,
        base="c-splice" if operation == "MiB" else "c-copy", is_of_proxies=True, backend=backend)


PROXY = {each.name: each for each in [
    scenario("own", ECHO, [BIN / "echoload", 64], [64, 1000]),
    scenario("http", NGINX, [FOREIGN, "wrk", "/hello"], [64, 1000]),
    scenario("close", NGINX, [FOREIGN, "wrk", "/hello", "close"], [64]),
    scenario("1m", NGINX, [FOREIGN, "wrk", "/1m"], [8], "MiB"),
    scenario("iperf-up", IPERF, [FOREIGN, "iperf", "up"], [1], "MiB"),
    scenario("iperf-down", IPERF, [FOREIGN, "iperf", "down"], [1], "MiB"),
    scenario("redis", REDIS, [FOREIGN, "redis"], [50]),
    scenario("idle-plain", ECHO, [BIN / "idle", 0], [5000], "session"),
    scenario("idle-touch", ECHO, [BIN / "idle", 64], [5000], "session"),
]}
# The same scenarios with the cheaper backend; they run only if named.
CANNED_PROXY = {each.name: each for each in [
    scenario("canned", CANNED, [FOREIGN, "wrk", "/hello"], [64, 1000]),
    scenario("canned-close", f"{CANNED} close", [FOREIGN, "wrk", "/hello", "close"], [64]),
]}
# An open load. A slice is long enough for the rarest messages.
LATENCY = {"latency": Scenario(
    name="latency", operation="message", is_of_proxies=True,
    servers={name: SERVERS[name] for name in ("verypolld", *latency.PEERS)},
    load=[BIN / "openloop"], connections=[16, 64, 400], rates=[2_000, 10_000, 20_000],
    seconds=2, slice_ms=250)}
