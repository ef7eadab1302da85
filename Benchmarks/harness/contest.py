"""Servers of one kind side by side.

In each round every server is started afresh and warmed up, and one load goes over all of them again
and again in short slices, so that what the machine does meanwhile hits them alike.
"""
import dataclasses
import os
import socket
import sys
import threading
import time

from . import counting, machine
from .processes import Load, Server

WARM_UP = 0.2


@dataclasses.dataclass
class Run:
    """One server in one round."""

    requests: int
    seconds: float
    cpu: float
    p99: float
    errors: int
    load: float
    noise: float

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cost(self):
        return self.cpu / self.requests


@dataclasses.dataclass
class Result:
    """One server in all rounds; `counts` are of a run of their own, as counting costs time."""

    runs: list
    counts: counting.Counts | None = None
    note: str = ""


def hold(scenario, connections, chosen):
    commands = {name: command for name, command in scenario.servers.items()
                if not chosen.servers or name in chosen.servers}
    commands |= dict(server.split("=", 1) for server in chosen.server)
    results = {name: Result(runs=[]) for name in commands}
    for number in range(chosen.rounds):
        servers = []
        try:
            servers = [Server(name, command) for name, command in commands.items()]
            if number == 0 and scenario.name == "echo":
                for server in servers:
                    results[server.name].note = failing_of_echo(server.port)
            run(scenario, servers, connections, WARM_UP)
            for name, measured in quietest(scenario, servers, connections, chosen).items():
                results[name].runs.append(measured)
        finally:
            for server in servers:
                server.stop()
        tell(f"{scenario.name}, {connections} at a time, round {number + 1} of {chosen.rounds}: ",
             results)
    for name, command in commands.items():
        results[name].counts = counting.of_server(scenario, command, connections)
    return results


def quietest(scenario, servers, connections, chosen):
    """The runs of a round, the least disturbed ones if it had to be repeated."""
    tries = []
    for _ in range(chosen.retries + 1):
        machine.wait_until_quiet(chosen.quiet_wait)
        tries.append(run(scenario, servers, connections, chosen.seconds))
        if noise_of(tries[-1]) < chosen.noise:
            break
    return min(tries, key=noise_of)


def noise_of(runs):
    return next(iter(runs.values())).noise


def run(scenario, servers, connections, seconds):
    command = scenario.load_command([server.port for server in servers], seconds, connections)
    with Load(command, 20 + (seconds + 2) * len(servers)) as load:
        time.sleep(0.1)
        before = [server.usage() for server in servers]
        busy, begin, own = machine.busy_seconds(), time.monotonic(), sum(os.times()[:2])
        answers = load.run()
        after = [server.usage() for server in servers]
        busy = machine.busy_seconds() - busy
        wall, own = time.monotonic() - begin, sum(os.times()[:2]) - own
        load.finish()
    for server, answer in zip(servers, answers):
        if answer["requests"] == 0:
            server.fail("did not answer")
    used = [new[0] - old[0] for old, new in zip(before, after)]
    delayed = sum(new[1] - old[1] for old, new in zip(before, after))
    foreign = busy - sum(used) - sum(answer["load_cpu"] for answer in answers) - own
    return {
        server.name: Run(
            requests=answer["requests"], seconds=answer["seconds"], cpu=cpu, p99=answer["p99"],
            errors=answer["errors"], load=answer["load_cpu"] / answer["seconds"],
            noise=(max(0, foreign) + delayed) / wall)
        for server, answer, cpu in zip(servers, answers, used)
    }


def failing_of_echo(port):
    """What is wrong with an echo server, empty if 300 kB come back whole, then the end of file."""
    sent, received = os.urandom(300_000), bytearray()
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            def send():
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            while chunk := client.recv(65536):
                received += chunk
            sender.join(5)
    except OSError as error:
        return f"{error} after {len(received)} bytes"
    return "" if received == sent else f"{len(received)} other bytes came back"


def tell(head, results):
    costs = [f"{name} {result.runs[-1].cost * 1e6:.2f}" for name, result in results.items()]
    noise = next(iter(results.values())).runs[-1].noise
    print(f"{head}{', '.join(costs)} µs; noise {noise:.0%}", file=sys.stderr)
