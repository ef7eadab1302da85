"""Saves results in a JSON file, from which chart.py draws.

    {"format": 1, "cells": [CELL, ...]}

A cell is one scenario with one number of connections, and one rate for an open load:

    {"scenario": "own", "connections": 64, "rate": null, "unit": "request",
     "machine": "...", "date": "2026-11-29",
     "servers": {"verypolld": {"cost": [4.9, ...], "p50": [...], ..., "note": ""}, ...}}

Each list has a number for each round. `cost` is CPU time: microseconds for each operation, or
seconds for each gigabyte. Latencies are in microseconds; a load that reports none leaves them out.
"""
import json
import os
import pathlib
import platform
import time

from .contest import QUANTILES

FORMAT = 1


def load(path):
    """Returns the cells of a file, or none if the file does not exist."""
    path = pathlib.Path(path)
    if not path.exists():
        return []
    saved = json.loads(path.read_text())
    if saved.get("format") != FORMAT:
        raise RuntimeError(f"{path}: format {saved.get('format')}; expected {FORMAT}"
                           " (measure again with --save)")
    return saved["cells"]


def add(path, scenario, connections, rate, results):
    """Adds a cell to a file, replacing an earlier cell of the same kind."""
    cell = {
        "scenario": scenario.name, "connections": connections, "rate": rate,
        "unit": scenario.operation, "machine": machine(), "date": time.strftime("%Y-%m-%d"),
        "servers": {name: server(scenario, result) for name, result in results.items()},
    }
    cells = [other for other in load(path) if key(other) != key(cell)] + [cell]
    text = json.dumps({"format": FORMAT, "cells": cells}, indent=1, ensure_ascii=False)
    part = pathlib.Path(f"{path}.part")
    part.write_text(text + "\n")
    os.replace(part, path)


def key(cell):
    return cell["scenario"], cell["connections"], cell["rate"]


def server(scenario, result):
    numbers = {"cost": [run.cost * scenario.cost_unit[1] for run in result.runs]}
    for name in QUANTILES:
        values = [run.latencies.get(name) for run in result.runs]
        if values and None not in values:
            numbers[name] = values
    return numbers | {"note": result.note}


def machine():
    """Returns the CPU model, the number of CPUs, and the kernel version."""
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}"
