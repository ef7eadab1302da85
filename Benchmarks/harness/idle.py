"""Measures a server's memory per idle session or connection.

Each server runs alone; a proxy runs in front of an echo server. Its usage with all sessions is
compared with its usage after a single session has ended.
"""
import contextlib
import dataclasses
import sys
import time

from . import checking
from .processes import Backend, Load, Server

# Memory differs little from one start to the next, so few rounds suffice.
ROUNDS = 3


@dataclasses.dataclass
class Usage:
    """Resident bytes, bytes with shared pages divided among processes, and open descriptors."""

    resident: int
    proportional: int
    descriptors: int


@dataclasses.dataclass
class Run:
    """One server in one round."""

    before: Usage
    after: Usage
    # The number of sessions; a server may accept fewer than requested.
    held: int
    # The share of a core that the server used while idle.
    cpu: float

    def per_session(self, what):
        return (getattr(self.after, what) - getattr(self.before, what)) / max(1, self.held)


@dataclasses.dataclass
class Result:
    """One server in all rounds."""

    runs: list
    note: str = ""


def measure(scenario, connections, chosen):
    commands = scenario.commands(chosen)
    check = checking.of_proxy if scenario.is_of_proxies else checking.of_echo
    verdicts = {name: check(command) for name, command in commands.items()}
    results = {name: Result(runs=[], note=verdict.note) for name, verdict in verdicts.items()}
    for number in range(min(chosen.rounds, ROUNDS)):
        for name in (name for name, verdict in verdicts.items() if verdict.works):
            run = run_one(scenario, name, commands[name], connections)
            results[name].runs.append(run)
            print(f"{scenario.name}, round {number + 1}: {name} {run.per_session('resident'):.0f}"
                  f" bytes, {run.held} of {connections} held", file=sys.stderr)
    return results


def run_one(scenario, name, command, connections):
    with contextlib.ExitStack() as field:
        backend = scenario.backend and field.enter_context(Backend(scenario.backend))
        server = field.enter_context(Server(name, command, backend and backend.port))
        with load(scenario, server, 1):
            settle(server)
        settle(server)
        before = usage(server)
        with load(scenario, server, connections) as sessions:
            settle(server)
            cpu, begin = server.cpu_seconds(), time.monotonic()
            time.sleep(1)
            cpu = (server.cpu_seconds() - cpu) / (time.monotonic() - begin)
            after = usage(server)
            held = sessions.run()
    return Run(before=before, after=after, held=held, cpu=cpu)


def load(scenario, server, connections):
    program, touch = map(str, scenario.load)
    return Load([program, str(server.port), str(connections), touch],
                60 + connections / 50)


def settle(server):
    """Waits until the server has accepted or closed as many connections as it will."""
    end, calm = time.monotonic() + 10, 0
    descriptors = server.descriptors()
    while calm < 5 and time.monotonic() < end:
        time.sleep(0.1)
        before, descriptors = descriptors, server.descriptors()
        calm = calm + 1 if descriptors == before else 0


def usage(server):
    return Usage(resident=server.memory("Rss"), proportional=server.memory("Pss"),
                 descriptors=server.descriptors())
