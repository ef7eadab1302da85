"""Counts system calls, allocations and retains from outside, in separate runs."""
import dataclasses
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time

from .processes import Backend, Load, Server
from .scenarios import BIN

# The calls that are listed by name; tracing all system calls with perf is slow.
NAMED = ("epoll_wait epoll_pwait epoll_pwait2 epoll_ctl accept accept4 read write readv writev"
         " recvfrom sendto recvmsg sendmsg setsockopt getpeername fcntl close futex"
         " timerfd_settime eventfd2 splice socket connect shutdown getsockopt getsockname"
         " pipe2 ioctl clock_gettime close_range").split()
TRACEPOINTS = ("raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{name}" for name in NAMED))
SECONDS = 1


@dataclasses.dataclass
class Counts:
    """The average cost of an operation; system calls by name."""

    calls: dict
    # These two are counted in one process only.
    allocations: float | None = None
    retains: float | None = None
    # The allocations per opened and closed connection, if requests were counted.
    connection_allocations: float | None = None

    @property
    def total(self):
        return sum(self.calls.values())


class Counter:
    """The counters that Scripts/counter.c shares with the process that started the program."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes(16))
        self.file.flush()
        self.environment = {"LD_PRELOAD": str(BIN / "counter.so"), "COUNTS": self.file.name}

    def read(self):
        return struct.unpack("QQ", pathlib.Path(self.file.name).read_bytes())


def perf(*arguments):
    events = [word for name in TRACEPOINTS for word in ("-e", name)]
    return ["perf", "stat", "-x", ",", *events, *arguments]


def parse(report):
    """Returns the system calls that perf counted, by name."""
    counts = {}
    for line in report.splitlines():
        count, _, event, *_ = [*line.split(","), "", ""]
        if count.isdigit() and int(count) > 0:
            counts[event.split("sys_enter")[-1].removeprefix("_")] = int(count)
    if "" not in counts:
        raise RuntimeError(f"perf did not count any system calls\n{report}")
    if (rest := counts.pop("") - sum(counts.values())) > 0:
        counts["other"] = rest
    return counts


def traced(server, load):
    """Returns the load's number of requests, and the system calls meanwhile."""
    pids = ",".join(map(str, server.tree()))
    tracer = subprocess.Popen(perf("-p", pids), text=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    time.sleep(1)  # perf does not report when it has opened its events.
    requests = load.run()[0]["requests"]
    tracer.send_signal(signal.SIGINT)
    return requests, parse(tracer.communicate(timeout=30)[1])


def of_server(scenario, command, connections):
    counter = Counter()
    with Server("counted", command, environment=counter.environment) as server:
        load = scenario.load_command([server.port], SECONDS, connections)
        with Load(load, 30) as warm_up:
            warm_up.run()
            warm_up.finish()
        time.sleep(0.3)
        start = counter.read()
        with Load(load, 30) as running:
            time.sleep(0.3)  # Until the server has accepted all of them.
            before = counter.read()
            requests, calls = traced(server, running)
            after = counter.read()
            running.finish()
        time.sleep(0.3)
        end = counter.read()
    counts = Counts(
        calls={name: count / requests for name, count in calls.items()},
        allocations=(after[0] - before[0]) / requests,
        retains=(after[1] - before[1]) / requests)
    if scenario.operation == "request":
        counts.connection_allocations = (end[0] - after[0] + before[0] - start[0]) / connections
    return counts


def of_proxy(scenario, command, connections):
    """Subtracts a short run from a long one, because some loads connect while they are counted."""
    def count(server, seconds):
        load = scenario.load_command([server.port], seconds, connections)
        with Load(load, 40) as running:
            time.sleep(0.3)
            counted = traced(server, running)
            running.finish()
        return counted

    with Backend(scenario.backend) as backend, Server("counted", command, backend.port) as server:
        few, few_calls = count(server, SECONDS)
        many, many_calls = count(server, 3 * SECONDS)
    return Counts(calls={
        name: (calls - few_calls.get(name, 0)) / (many - few)
        for name, calls in many_calls.items()})


def of_program(command, few, many):
    """Counts the cost of an operation whose repetitions a command's last argument sets."""
    def count(number):
        counter = Counter()
        environment = [f"{name}={value}" for name, value in counter.environment.items()]
        program = ["env", *environment, *command, str(number)]
        report = subprocess.run(perf(*program), check=True, text=True, env=os.environ,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr
        return parse(report), counter.read()

    (few_calls, few_counts), (many_calls, many_counts) = count(few), count(many)
    operations = many - few
    return Counts(
        calls={name: (calls - few_calls.get(name, 0)) / operations
               for name, calls in many_calls.items()},
        allocations=(many_counts[0] - few_counts[0]) / operations,
        retains=(many_counts[1] - few_counts[1]) / operations)
