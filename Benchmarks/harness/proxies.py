"""The scenarios for the daemon as a proxy, compared with other proxies."""
from . import latency
from .scenarios import BIN, ROOT, Scenario

DAEMON = ROOT.parent / ".build" / "release" / "verypolld"
FOREIGN = ROOT / "load" / "foreign"


def daemon(program, configuration="verypolld.json"):
    return f"{program} --config {{folder}}/{configuration} --socket {{folder}}/control.sock"


def daemon_by_name(program):
    return daemon(program, "verypolld-names.json")


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
# Proxies that route by the TLS server name, and the daemon with its plain configuration.
BY_NAME = {
    "verypolld": daemon_by_name(DAEMON),
    "verypolld (no inspection)": daemon(DAEMON),
    "nginx": "nginx -e stderr -p {folder} -c {folder}/nginx-names.conf",
    "haproxy": "haproxy -db -f {folder}/haproxy-names.cfg",
}
ECHO = f"{BIN}/c-echo {{port}}"
NGINX = "nginx -e stderr -p {folder} -c {folder}/nginx-backend.conf"
CERTIFICATE = ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
               " -subj /CN=shop.example.com -addext subjectAltName=DNS:shop.example.com"
               " -keyout {folder}/key.pem -out {folder}/certificate.pem")
TLS = f"sh -c '{CERTIFICATE} && exec nginx -e stderr -p {{folder}} -c {{folder}}/nginx-tls.conf'"
CANNED = f"{BIN}/c-canned {{port}}"
IPERF = "iperf3 -s -p {port}"
REDIS = "redis-server --port {port} --bind 127.0.0.1 --save '' --appendonly no"


def scenario(name, backend, load, connections, operation="request"):
    return Scenario(
        name=name, operation=operation, servers=SERVERS, load=load, connections=connections,
        base="c-splice" if operation == "MiB" else "c-copy", is_of_proxies=True, daemon=daemon,
        backend=backend, is_idle=operation == "session")


def by_name(name, backend, kind, connections):
    # A slice is long compared with the time in which its last handshakes end.
    return Scenario(
        name=name, operation="connection", servers=BY_NAME, load=[BIN / "handshakes", kind],
        connections=connections, base="nginx", is_of_proxies=True, is_by_name=True,
        daemon=daemon_by_name, backend=backend, slice_ms=100)


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
    by_name("names", TLS, "full", [1, 16]),
    by_name("names-hello", f"{CANNED} flight", "hello", [1, 64]),
]}
# The same scenarios with the cheaper backend; they run only if named.
CANNED_PROXY = {each.name: each for each in [
    scenario("canned", CANNED, [FOREIGN, "wrk", "/hello"], [64, 1000]),
    scenario("canned-close", f"{CANNED} close", [FOREIGN, "wrk", "/hello", "close"], [64]),
]}
# An open load. A slice is long enough for the rarest messages.
LATENCY = {"latency": Scenario(
    name="latency", operation="message", is_of_proxies=True, daemon=daemon,
    servers={name: SERVERS[name] for name in ("verypolld", *latency.PEERS)},
    load=[BIN / "openloop"], connections=[16, 64, 400], rates=[2_000, 10_000, 20_000],
    seconds=2, slice_ms=250)}
# The daemon alone, with and without observers; see watched.py.
WATCHED = {"watched": Scenario(
    name="watched", operation="message", is_of_proxies=True, daemon=daemon, servers={},
    load=[BIN / "openloop"], connections=[64], rates=[2_000, 10_000], seconds=4, slice_ms=250)}
