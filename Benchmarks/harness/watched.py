"""Measures whether the daemon's observers delay its messages.

The observers are the requests of a browser with the status page, a scrape each second, and
`verypollctl monitor`. Each round has two daemons, of which the observers watch one. One load uses
both in turn, in short slices, so the observers' own use of the machine affects both alike. The
difference is the work of the watched daemon.

A browser itself would use most of the daemons' core and delay both tenfold. So it is no part of the
measurement unless `BROWSER` is in the environment; load/observer.c sends its requests.
"""
import contextlib
import dataclasses
import http.client
import os
import pathlib
import sys
import tempfile
import time

from . import contest, machine, tables
from .latency import FLOOR, Floor
from .processes import Process, Server, ports
from .proxies import DAEMON, daemon
from .scenarios import BIN

STATES = ("unwatched", "watched")
SHOWN = ("p50", "p99", "p99.9", "slice_p99")
BOUND = 1.05
# After this, the observers have started.
START_UP = 2 + 3 * ("BROWSER" in os.environ)
CONFIGURATION = "verypolld-watched.json"
PAGE_ADDRESS = "127.0.0.2"
# The rest of the time of the server's core.
IDLE = ["chrt", "--idle", "0"]


@contextlib.contextmanager
def observers(server):
    """Observes a daemon, with the policy SCHED_IDLE, which makes room for the daemons at once."""
    control = pathlib.Path(server.folder.name, "control.sock")
    commands = [[BIN / "observer", PAGE_ADDRESS, server.port],
                [DAEMON.with_name("verypollctl"), "--socket", control, "monitor"]]
    with contextlib.ExitStack() as field:
        if "BROWSER" in os.environ:
            profile = field.enter_context(tempfile.TemporaryDirectory(prefix="verypoll-browser-"))
            commands.append(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                             "--disable-background-networking", "--no-first-run",
                             "--remote-debugging-port=0", f"--user-data-dir={profile}",
                             f"http://{PAGE_ADDRESS}:{server.port}/"])
        processes = [
            field.enter_context(Process([*IDLE, *map(str, command)], {machine.SERVER_CORE}))
            for command in commands]
        time.sleep(START_UP)
        before = requests(server)
        yield
        for process in processes:
            if process.process.poll() is not None:
                process.fail("ended early")
        # The observer asks twice a second, and the last request is of this function.
        if requests(server) - before < 3:
            raise RuntimeError("the observers did not watch")


def requests(server):
    """Returns the number of connections to the listener of the page and the metrics."""
    connection = http.client.HTTPConnection(PAGE_ADDRESS, server.port, timeout=5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    sample = 'verypolld_listener_accepted_total{listener="metrics"} '
    return next(int(line.removeprefix(sample)) for line in text.splitlines()
                if line.startswith(sample))


def hold(scenario, connections, rate, chosen):
    """Returns the results of the daemon in both states, and of the floor."""
    results = {name: contest.Result(runs=[]) for name in (*STATES, FLOOR)}
    seconds = chosen.seconds or scenario.seconds
    for number in range(chosen.rounds):
        numbered = dataclasses.replace(scenario, load=[*scenario.load, rate, number])
        with contextlib.ExitStack() as field:
            floor = Floor(next(ports))
            # The daemon that started first and is measured first is watched in every other round.
            order = STATES if number % 2 == 0 else STATES[::-1]
            daemons = [field.enter_context(
                Server(state, daemon(DAEMON, CONFIGURATION), floor.port)) for state in order]
            machine.wait_until_quiet(chosen.quiet_wait)
            field.enter_context(observers(daemons[order.index("watched")]))
            servers = [*daemons, floor]
            contest.run(numbered, servers, None, connections, contest.WARM_UP)
            runs = contest.run(numbered, servers, None, connections, seconds)
        for name, run in runs.items():
            results[name].runs.append(run)
        told = ", ".join(f"{name} {run.latencies['p99']:.0f} ({run.latencies['slice_p99']:.0f})"
                         for name, run in runs.items())
        print(f"{scenario.name}, {connections} connections, {rate:.0f} messages/s, round"
              f" {number + 1} of {chosen.rounds}: p99 {told} µs", file=sys.stderr)
    return results


def table(scenario, connections, rate, results):
    """Returns the latencies in both states, and their ratios."""
    columns = ["daemon", *(f"{each.replace('_', ' ')} µs" for each in SHOWN),
               *(f"{each.replace('_', ' ')} / unwatched" for each in SHOWN),
               "CPU µs / message"]
    rows = []
    base = results["unwatched"]
    for name, result in results.items():
        rows.append([
            name, *(tables.number(tables.quantile(result, each)) for each in SHOWN),
            *(tables.ratio([run.latencies[each] for run in result.runs],
                           [run.latencies[each] for run in base.runs]) for each in SHOWN),
            tables.number(tables.median(run.cost for run in result.runs) * 1e6 or None)])
    title = f"### {scenario.name}, {connections} connections, {rate:,.0f} messages/s"
    return (f"{title}\n\n{tables.table(columns, rows)}\n\n"
            f"The bound for p99 and slice p99 is {BOUND:.2f} times that of the unwatched"
            " daemon.\n")
