"""Compares operations of the library with C in one process; see Sources/operations."""
import dataclasses
import subprocess
import sys

from . import counting, machine
from .scenarios import SWIFT

PROGRAM = ["taskset", "-c", str(machine.SERVER_CORE), str(SWIFT / "operations")]
FEW, MANY = 100, 10_000


@dataclasses.dataclass
class Result:
    """The CPU nanoseconds in each round, and the counts of each side."""

    swift: list
    c: list
    swift_counts: counting.Counts
    c_counts: counting.Counts


def measure(chosen):
    results = {}
    for name in run("list").splitlines():
        machine.wait_until_quiet(chosen.quiet_wait)
        rounds = [line.split() for line in run("time", name, str(chosen.rounds)).splitlines()]
        results[name] = Result(
            swift=[float(swift) for swift, _ in rounds], c=[float(c) for _, c in rounds],
            swift_counts=counting.of_program([*PROGRAM, "count", name, "verypoll"], FEW, MANY),
            c_counts=counting.of_program([*PROGRAM, "count", name, "c"], FEW, MANY))
        print(f"{name}: {rounds[-1][0]} ns, {rounds[-1][1]} ns in C", file=sys.stderr)
    return results


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], check=True, capture_output=True, text=True,
                          timeout=300).stdout
