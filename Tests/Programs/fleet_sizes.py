"""Measures how the daemon's memory, metrics and CPU time grow with the number of its servers.

Arguments: the directory of verypolld, and optionally the numbers of servers.

All servers are loopback addresses of one other daemon. The tables are those of docs/fleet.md.
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import socket
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "monitoring"))
from lab.processes import Daemon, eventually  # noqa: E402

# The number of sessions for the CPU time of a choice, and for the memory of a session.
CHOICES, IDLE = 2000, 3500
# The seconds over which the CPU time of health checks is measured.
SPAN = 10
TICKS = os.sysconf("SC_CLK_TCK")


def servers(count, port):
    """Returns addresses of the loopback network, each with the same port."""
    return [f"127.{1 + n // 62500}.{1 + n // 250 % 250}.{1 + n % 250}:{port}" for n in range(count)]


def configuration(count, port, **more):
    return {
        "workers": 1,
        "listeners": {
            "app": {"listen": ["127.0.0.1:0"], "handler": {"type": "proxy", "upstream": "app"}},
            "metrics": {"listen": ["127.0.0.1:0"], "handler": {"type": "metrics"}},
        },
        "upstreams": {"app": {"servers": servers(count, port), **more}},
    }


def resident(daemon):
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024


def cpu(daemon):
    """Returns the CPU time of a daemon in seconds."""
    fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def started(program, contents):
    with tempfile.TemporaryDirectory(prefix="sizes-") as folder:
        with Daemon(program, pathlib.Path(folder), contents) as daemon:
            yield daemon


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return answer.read().decode()


def sample(text, name):
    """Returns the sum of all samples of a metric."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
               if line.startswith(name))


def measure_memory(program, counts, port):
    print(f"{'servers':>8} {'file':>9} {'start':>8} {'resident':>10} {'checked':>10} "
          f"{'series':>9} {'scrape':>10} {'time':>8} {'resident then':>14}")
    for count in counts:
        contents = configuration(count, port)
        began = time.monotonic()
        with started(program, contents) as daemon:
            start = time.monotonic() - began
            plain = resident(daemon)
        contents = configuration(count, port, check={"interval": "1h", "timeout": "2s"})
        with started(program, contents) as daemon:
            checked = resident(daemon)
            eventually("checks", lambda: sample(
                scrape(daemon.ports()["metrics"]), "verypolld_server_checks_total") >= count)
            began = time.monotonic()
            text = scrape(daemon.ports()["metrics"])
            took = time.monotonic() - began
            series = sum(1 for line in text.splitlines() if line and line[0] != "#")
            print(f"{count:>8} {len(json.dumps(contents)) / 1024:>5.0f} KiB {start:>6.2f} s "
                  f"{plain / 1e6:>7.1f} MB {checked / 1e6:>7.1f} MB {series:>9} "
                  f"{len(text) / 1e6:>7.2f} MB {took:>6.2f} s {resident(daemon) / 1e6:>11.1f} MB",
                  flush=True)


def measure_checks(program, counts, port):
    print(f"\n{'servers':>8} {'interval':>9} {'checks/s':>9} {'CPU':>7} {'CPU/check':>10}")
    for count in counts:
        contents = configuration(count, port, check={"interval": "5s", "timeout": "2s"})
        with started(program, contents) as daemon:
            ports = daemon.ports()

            def done():
                return sample(scrape(ports["metrics"]), "verypolld_server_checks_total")
            eventually("first checks", lambda: done() >= count)
            checks, before, began = done(), cpu(daemon), time.monotonic()
            time.sleep(SPAN)
            used, span = cpu(daemon) - before, time.monotonic() - began
            rate = (done() - checks) / span
            print(f"{count:>8} {'5 s':>9} {rate:>9.0f} {used / span:>6.1%} "
                  f"{used / span / rate * 1e6:>7.0f} us", flush=True)


def session(port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        while client.recv(1024):
            pass


def measure_choices(program, counts, port):
    print(f"\n{'servers':>8} {'balance':>14} {'CPU/session':>12}")
    for count in counts:
        for balance in ("roundRobin", "leastSessions", "sourceHash"):
            with started(program, configuration(count, port, balance=balance)) as daemon:
                front = daemon.ports()["app"]
                session(front)
                before = cpu(daemon)
                for _ in range(CHOICES):
                    session(front)
                used = (cpu(daemon) - before) / CHOICES
                print(f"{count:>8} {balance:>14} {used * 1e6:>9.0f} us", flush=True)


def measure_sessions(program, port):
    with started(program, configuration(1, port)) as daemon:
        front = daemon.ports()["app"]
        held, before = [], 0
        for number in range(2 * IDLE):
            held.append(socket.create_connection(("127.0.0.1", front)))
            held[-1].send(b"x")
            held[-1].recv(1)
            if number + 1 == IDLE:
                before = resident(daemon)
        each = (resident(daemon) - before) / IDLE
        print(f"\n{2 * IDLE} idle proxied sessions: {resident(daemon) / 1e6:.1f} MB, "
              f"{each:.0f} bytes for each further session", flush=True)
        for client in held:
            client.close()


def main():
    program = pathlib.Path(sys.argv[1]) / "verypolld"
    counts = [int(word) for word in sys.argv[2:]] or [10, 1000, 10000]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with started(program, {"listeners": {
        "echo": {"listen": ["0.0.0.0:0"], "handler": {"type": "echo"}},
        "daytime": {"listen": ["0.0.0.0:0"], "handler": {"type": "daytime"}},
    }}) as far:
        ports = far.ports()
        measure_memory(program, counts, ports["echo"])
        measure_choices(program, counts, ports["daytime"])
        measure_sessions(program, ports["echo"])
        measure_checks(program, counts, ports["echo"])


if __name__ == "__main__":
    main()
