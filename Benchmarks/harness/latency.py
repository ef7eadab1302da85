"""Measures the latencies of proxies at fixed rates, compared with the best peer.

As in contest.py, one load uses all servers in turn, in short slices; see load/openloop.c, which is
also the backend.
"""
import contextlib
import dataclasses
import statistics
import sys

from . import contest
from .processes import Server, ports

# The peers, and the bound for the ratio to the best peer's p50 and p99. The bound applies to the
# p99 of the median slice: a virtual machine stalls for milliseconds at a time, and the p99 of a
# whole round would be that of the server that was measured during a stall.
BOUNDED = ("p50", "slice_p99")
PEERS = ("c-copy", "haproxy", "nginx")
BOUND = 1.10
FLOOR = "direct"


@dataclasses.dataclass
class Cell:
    """All servers, and the floor, with one number of connections at one rate."""

    connections: int
    rate: float
    results: dict

    @property
    def contenders(self):
        return [name for name, result in self.results.items()
                if result.runs and name not in (*PEERS, FLOOR)]

    def values(self, name, quantile):
        return [run.latencies[quantile] for run in self.results[name].runs]

    def best(self, quantile):
        """Returns the peer with the lowest median of all rounds, or None without peers."""
        peers = [name for name in PEERS if name in self.results and self.results[name].runs]
        return min(peers, default=None,
                   key=lambda name: statistics.median(self.values(name, quantile)))

    def verdict(self, name):
        """Returns whether both medians of the rounds' ratios are within the bound."""
        for quantile in BOUNDED:
            best = self.best(quantile)
            if not best:
                return "-"
            pairs = zip(self.values(name, quantile), self.values(best, quantile))
            if statistics.median(mine / other for mine, other in pairs) > BOUND:
                return "no"
        return "yes"


class Floor:
    """The load's own server without a proxy, which uses no time of the servers' core."""

    name = FLOOR

    def __init__(self, port):
        self.port = port

    def cpu_seconds(self):
        return 0

    def waited_seconds(self):
        return 0

    def thread_seconds(self):
        return {}

    def fail(self, what):
        raise RuntimeError(f"the load's own server {what}")


def hold(scenario, connections, rate, chosen):
    commands, results = contest.contestants(scenario, chosen)
    results[FLOOR] = contest.Result(runs=[])
    for number in range(chosen.rounds):
        # Rounds have different arrivals; all servers of one round have the same.
        numbered = dataclasses.replace(scenario, load=[*scenario.load, rate, number])
        with contextlib.ExitStack() as field:
            floor = Floor(next(ports))
            servers = [field.enter_context(Server(name, command, floor.port))
                       for name, command in commands.items()]
            servers.append(floor)
            contest.run(numbered, servers, None, connections, contest.WARM_UP)
            runs = contest.quietest(numbered, servers, None, connections, chosen)
        for name, run in runs.items():
            results[name].runs.append(run)
        tell(scenario, connections, rate, f"round {number + 1} of {chosen.rounds}", runs)
    return Cell(connections, rate, results)


def tell(scenario, connections, rate, head, runs):
    latencies = [f"{name} {run.latencies['p50']:.0f} {run.latencies['p99']:.0f}"
                 f" ({run.latencies['slice_p99']:.0f})"
                 for name, run in runs.items()]
    print(f"{scenario.name}, {connections} connections, {rate:.0f} messages/s, {head}:"
          f" {', '.join(latencies)} µs; noise {contest.noise_of(runs):.0%}", file=sys.stderr)
