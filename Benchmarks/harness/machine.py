"""The machine: its namespaces, its cores, and other activity on them."""
import os
import pathlib
import resource
import subprocess
import sys
import time

SERVER_CORE, LOAD_CORE = 0, 1
TICK = os.sysconf("SC_CLK_TCK")


def enter_namespaces():
    """Restarts this program in its own network and process namespaces."""
    if os.environ.get("VERYPOLL_BENCHMARK"):
        return
    if os.geteuid() != 0:
        sys.exit("Benchmarks/run creates namespaces and counts system calls; run it as root.")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("Benchmarks/run needs two cores: one for the servers and one for their loads.")
    os.environ["VERYPOLL_BENCHMARK"] = "1"
    unshare = ["unshare", "--net", "--pid", "--fork", "--kill-child=SIGTERM", "--mount-proc"]
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def set_up_network():
    def run(command):
        subprocess.run(command.split(), check=True)

    run("ip link set lo up")
    for name, value in {"core/somaxconn": "4096", "ipv4/tcp_max_syn_backlog": "4096",
                        "ipv4/ip_local_port_range": "20000 65000"}.items():
        pathlib.Path("/proc/sys/net", name).write_text(value)
    # Loopback uses cubic, whatever the default, because some algorithms pace their sending.
    for destination in ("127.0.0.0/8", "127.0.0.1"):
        run(f"ip route replace local {destination} dev lo table local proto kernel scope host"
            " src 127.0.0.1 congctl cubic")


def raise_file_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read(path):
    """Returns the text of a file in /proc, or an empty string if its subject is gone."""
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def names(path):
    """Returns the names in a folder of /proc, or none if its subject is gone."""
    try:
        return os.listdir(path)
    except OSError:
        return []


def busy_seconds():
    """Returns how long the two cores have been busy since boot, and how long with other work."""
    total = 0
    for line in read("/proc/stat").splitlines():
        name, *fields = line.split()
        if name in (f"cpu{SERVER_CORE}", f"cpu{LOAD_CORE}"):
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            total += (user + nice + system + irq + softirq + steal) / TICK
    return total


def wait_until_quiet(longest):
    end = time.monotonic() + longest
    while time.monotonic() < end:
        before, begin = busy_seconds(), time.monotonic()
        time.sleep(0.25)
        if (busy_seconds() - before) / (time.monotonic() - begin) < 0.12:
            return
