"""Compares servers of one kind.

In each round, every server is started and warmed up, and one load uses all of them in turn, in
short slices, so that disturbances of the machine affect all servers alike.
"""
import contextlib
import dataclasses
import os
import sys
import time

from . import checking, counting, machine
from .processes import Backend, Load, Server

WARM_UP = 0.2

# The latencies that a load reports, in microseconds; for an open load, `slice_p99` is the p99 of
# the median slice.
QUANTILES = ("p50", "p90", "p99", "p99.9", "slice_p99")


@dataclasses.dataclass
class Run:
    """One server in one round."""

    requests: int
    seconds: float
    cpu: float
    # Microseconds by "p50" and so on; None if the load does not report them.
    latencies: dict
    errors: int
    load: float
    noise: float
    # For an open load: the number of messages, and the delay in microseconds at p99 of sending
    # them.
    sent: int
    delay: float | None
    # The CPU seconds of its two busiest threads.
    threads: list = dataclasses.field(default_factory=list)

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cost(self):
        return self.cpu / self.requests


@dataclasses.dataclass
class Result:
    """One server in all rounds; `counts` comes from a separate run, because counting is slow."""

    runs: list
    counts: counting.Counts | None = None
    note: str = ""


def contestants(scenario, chosen):
    """Returns the commands of the working servers, and an empty result for each server."""
    commands = scenario.commands(chosen)
    results = {name: Result(runs=[]) for name in commands}
    if scenario.is_of_proxies:
        verdicts = {name: checking.of_proxy(command, scenario.is_by_name)
                    for name, command in commands.items()}
        for name, verdict in verdicts.items():
            results[name].note = verdict.note
        commands = {name: commands[name] for name, verdict in verdicts.items() if verdict.works}
    return commands, results


def hold(scenario, connections, chosen):
    commands, results = contestants(scenario, chosen)
    for number in range(chosen.rounds):
        with contextlib.ExitStack() as field:
            backend = scenario.backend and field.enter_context(Backend(scenario.backend))
            servers = [
                field.enter_context(Server(name, command, backend and backend.port,
                                           uses_all_cores=scenario.is_threaded))
                for name, command in commands.items()]
            if number == 0 and not scenario.is_of_proxies and scenario.operation == "request":
                for server in servers:
                    results[server.name].note = checking.failing_of_echo(server.port)
            run(scenario, servers, backend, connections, WARM_UP)
            for name, measured in quietest(scenario, servers, backend, connections, chosen).items():
                results[name].runs.append(measured)
        tell(scenario, connections, f"round {number + 1} of {chosen.rounds}", results)
    for name, command in commands.items():
        count = counting.of_proxy if scenario.is_of_proxies else counting.of_server
        results[name].counts = count(scenario, command, connections)
    return results


def quietest(scenario, servers, backend, connections, chosen):
    """Returns the runs of a round; if it was repeated, those with the least noise."""
    tries = []
    for _ in range(chosen.retries + 1):
        machine.wait_until_quiet(chosen.quiet_wait)
        seconds = chosen.seconds or scenario.seconds
        tries.append(run(scenario, servers, backend, connections, seconds))
        if noise_of(tries[-1]) < chosen.noise:
            break
    return min(tries, key=noise_of)


def noise_of(runs):
    return next(iter(runs.values())).noise


def run(scenario, servers, backend, connections, seconds):
    command = scenario.load_command([server.port for server in servers], seconds, connections)
    everyone = [*servers, backend] if backend else servers
    with Load(command, 20 + (seconds + 5) * len(servers)) as load:
        time.sleep(0.1)
        before = [(each.cpu_seconds(), each.waited_seconds()) for each in everyone]
        threads = [server.thread_seconds() for server in servers]
        busy, begin, own = machine.busy_seconds(), time.monotonic(), sum(os.times()[:2])
        answers = load.run()
        after = [(each.cpu_seconds(), each.waited_seconds()) for each in everyone]
        threads = [busiest(server.thread_seconds(), old) for server, old in zip(servers, threads)]
        busy = machine.busy_seconds() - busy
        wall, own = time.monotonic() - begin, sum(os.times()[:2]) - own
        load.finish()
    for server, answer in zip(servers, answers):
        if answer["requests"] == 0:
            server.fail("did not answer")
    used = [new[0] - old[0] for old, new in zip(before, after)]
    delayed = sum(new[1] - old[1] for old, new in zip(before[:len(servers)], after))
    foreign = busy - sum(used) - sum(answer["load_cpu"] for answer in answers) - own
    # A request costs the backend the same, whichever server forwards it.
    behind = used.pop() / sum(answer["requests"] for answer in answers) if backend else 0
    return {
        server.name: Run(
            requests=answer["requests"], seconds=answer["seconds"], cpu=cpu,
            latencies={name: answer.get(name) for name in QUANTILES},
            errors=answer["errors"], sent=answer.get("sent", 0), delay=answer.get("delay_p99"),
            load=(answer["load_cpu"] + behind * answer["requests"]) / answer["seconds"],
            noise=(max(0, foreign) + delayed) / wall, threads=each)
        for server, answer, cpu, each in zip(servers, answers, used, threads)
    }


def busiest(seconds, before):
    """Returns how much CPU time the two busiest threads have used since `before`."""
    used = (seconds[thread] - before.get(thread, 0) for thread in seconds)
    return sorted(used, reverse=True)[:2]


def tell(scenario, connections, head, results):
    unit, factor = scenario.cost_unit
    runs = {name: result.runs[-1] for name, result in results.items() if result.runs}
    costs = [f"{name} {run.cost * factor:.3g}" for name, run in runs.items()]
    print(f"{scenario.name}, {connections} at a time, {head}: {', '.join(costs)} {unit};"
          f" noise {noise_of(runs):.0%}", file=sys.stderr)
