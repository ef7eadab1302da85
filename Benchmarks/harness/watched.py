"""Measures whether the daemon's observers delay its messages.

The observers are a browser with the status page, a scrape each second, and `verypollctl monitor`.
On the core of the load, which never sleeps, they would disturb the load itself. So they run on the
core of the daemon, with the policy SCHED_IDLE, which makes room for the daemon at once. Each round
measures the daemon twice, with the same arrivals: while the observers watch the daemon, and while
they watch another one that runs as they do. The difference is the work of the watched daemon.
"""
import contextlib
import dataclasses
import http.client
import pathlib
import sys
import tempfile
import threading
import time

from . import contest, machine, tables
from .latency import FLOOR, Floor
from .processes import Process, Server, ports
from .proxies import DAEMON, daemon

STATES = ("unwatched", "watched")
SHOWN = ("p50", "p99", "p99.9", "slice_p99")
BOUND = 1.05
# After this, the browser has started and updates the page.
START_UP = 4
CONFIGURATION = "verypolld-watched.json"
PAGE_ADDRESS = "127.0.0.2"


# The rest of the time of the server's core.
IDLE = ["chrt", "--idle", "0"]


class Scraping:
    """A scrape each second."""

    def __init__(self, server):
        self.server, self.done, self.count = server, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.done.wait(1):
            connection = http.client.HTTPConnection(PAGE_ADDRESS, self.server.port, timeout=5)
            connection.request("GET", "/metrics")
            if b"verypolld_build" not in connection.getresponse().read():
                raise RuntimeError("the scrape returned no metrics")
            connection.close()
            self.count += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@contextlib.contextmanager
def observers(server):
    """Opens the page in a browser, scrapes, and monitors a daemon."""
    control = pathlib.Path(server.folder.name, "control.sock")
    with tempfile.TemporaryDirectory(prefix="verypoll-browser-") as profile:
        browser = [*IDLE, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                   "--disable-background-networking", "--no-first-run",
                   "--remote-debugging-port=0", f"--user-data-dir={profile}",
                   f"http://{PAGE_ADDRESS}:{server.port}/"]
        monitor = [*IDLE, str(DAEMON.with_name("verypollctl")), "--socket", str(control), "monitor"]
        with Process(browser, {machine.SERVER_CORE}) as page, \
                Process(monitor, {machine.SERVER_CORE}) as monitoring, Scraping(server) as scraping:
            time.sleep(START_UP)
            before = requests(server)
            yield
            for process in (page, monitoring):
                if process.process.poll() is not None:
                    process.fail("ended early")
            # The page asks each second, and so does the scrape.
            if requests(server) - before < 2 or scraping.count < 2:
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
    """Returns the results by state; the floor of each state is a result of its own."""
    results = {name: contest.Result(runs=[])
               for state in STATES for name in (state, f"{FLOOR}, {state}")}
    for number in range(chosen.rounds):
        numbered = dataclasses.replace(scenario, load=[*scenario.load, rate, number])
        for state in STATES if number % 2 == 0 else reversed(STATES):
            with contextlib.ExitStack() as field:
                floor = Floor(next(ports))
                command = daemon(DAEMON, CONFIGURATION)
                measured = field.enter_context(Server("verypolld", command, floor.port))
                decoy = field.enter_context(Server("decoy", " ".join([*IDLE, command]), floor.port))
                machine.wait_until_quiet(chosen.quiet_wait)
                field.enter_context(observers(measured if state == "watched" else decoy))
                contest.run(numbered, [measured, floor], None, connections, contest.WARM_UP)
                seconds = chosen.seconds or scenario.seconds
                runs = contest.run(numbered, [measured, floor], None, connections, seconds)
            results[state].runs.append(runs["verypolld"])
            results[f"{FLOOR}, {state}"].runs.append(runs[FLOOR])
        told = ", ".join(f"{state} {results[state].runs[-1].latencies['p99']:.0f}"
                         for state in STATES)
        print(f"{scenario.name}, {connections} connections, {rate:.0f} messages/s, round"
              f" {number + 1} of {chosen.rounds}: p99 {told} µs", file=sys.stderr)
    return results


def table(scenario, connections, rate, results):
    """Returns the latencies in both states, and their ratios."""
    columns = ["daemon", *(f"{each.replace('_', ' ')} µs" for each in SHOWN),
               *(f"{each.replace('_', ' ')} / unwatched" for each in SHOWN),
               "CPU µs / message"]
    rows = []
    for name, result in results.items():
        is_floor = name.startswith(FLOOR)
        base = results[f"{FLOOR}, unwatched" if is_floor else "unwatched"]
        rows.append([
            name, *(tables.number(tables.quantile(result, each)) for each in SHOWN),
            *(tables.ratio([run.latencies[each] for run in result.runs],
                           [run.latencies[each] for run in base.runs]) for each in SHOWN),
            tables.number(tables.median(run.cost for run in result.runs) * 1e6 or None)])
    title = f"### {scenario.name}, {connections} connections, {rate:,.0f} messages/s"
    return (f"{title}\n\n{tables.table(columns, rows)}\n\n"
            f"The bound for the p99 of the median slice is {BOUND:.2f} times that of the unwatched"
            " daemon.\n")
