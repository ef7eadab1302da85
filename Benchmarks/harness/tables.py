"""Formats the results as Markdown."""
import statistics

from .latency import BOUND, FLOOR

QUANTILES = ("p50", "p90", "p99", "p99.9")


def servers(scenario, connections, results):
    per, measured = scenario.operation, {name: each for name, each in results.items() if each.runs}
    title = f"### {scenario.name}, {connections} at a time\n"
    if not measured:
        return f"{title}\nNone of {', '.join(results)} works.\n"
    base = scenario.base if scenario.base in measured else next(iter(measured))
    (cost_unit, cost), (rate_unit, rate) = scenario.cost_unit, scenario.rate_unit
    columns = [f"CPU {cost_unit}", f"/ {base}", rate_unit, "p50 µs", "p99 µs", f"calls / {per}"]
    if not scenario.is_of_proxies:
        columns += [f"allocations / {per}", f"retains / {per}"]
        columns += ["allocations / connection"] if per == "request" else []
    columns += ["threads %"] if scenario.is_threaded else []
    columns = ["server", *columns, "load %", "noise %", "note"]
    rows = []
    for name, result in results.items():
        if name not in measured:
            rows.append([name, *["-"] * (len(columns) - 2), result.note])
            continue
        runs, counts = result.runs, result.counts
        row = [name, number(median(run.cost for run in runs) * cost),
               ratio([run.cost for run in runs], [run.cost for run in measured[base].runs]),
               number(median(run.rate for run in runs) * rate),
               number(quantile(result, "p50")), number(quantile(result, "p99")),
               f"{counts.total:.2f}"]
        if not scenario.is_of_proxies:
            row += [number(counts.allocations), number(counts.retains)]
            row += [number(counts.connection_allocations)] if per == "request" else []
        row += [shares(runs)] if scenario.is_threaded else []
        row += [percent(run.load for run in runs), percent(run.noise for run in runs),
                note(result)]
        rows.append(row)
    calls = {name: result.counts.calls for name, result in measured.items()}
    return f"{title}\n{table(columns, rows)}\n\nCalls / {per}: {breakdown(calls)}\n"


def idle(scenario, connections, results):
    per = scenario.operation
    columns = ["server", f"resident B / {per}", f"proportional B / {per}", "KiB before",
               "KiB with them", f"descriptors / {per}", "held", "CPU %", "note"]
    rows = []
    for name, result in results.items():
        runs = result.runs
        if not runs:
            rows.append([name, *["-"] * (len(columns) - 2), result.note])
            continue
        rows.append([
            name, spread(run.per_session("resident") for run in runs),
            spread(run.per_session("proportional") for run in runs),
            number(median(run.before.resident / 1024 for run in runs)),
            number(median(run.after.resident / 1024 for run in runs)),
            number(median(run.per_session("descriptors") for run in runs)),
            f"{min(run.held for run in runs):,} of {connections:,}",
            number(median(run.cpu * 100 for run in runs)), result.note])
    return f"### {scenario.name}, {connections} {per}s\n\n{table(columns, rows)}\n"


def operations(results):
    columns = ["operation", "verypoll CPU ns", "c CPU ns", "/ c", "calls", "c calls",
               "allocations", "retains"]
    rows = [
        [name, f"{median(result.swift):,.0f}", f"{median(result.c):,.0f}",
         ratio(result.swift, result.c), f"{result.swift_counts.total:.2f}",
         f"{result.c_counts.total:.2f}", number(result.swift_counts.allocations),
         number(result.swift_counts.retains)]
        for name, result in results.items()
    ]
    calls = {name: result.swift_counts.calls for name, result in results.items()}
    return f"### operations\n\n{table(columns, rows)}\n\nCalls: {breakdown(calls)}\n"


def open_loop(scenario, cell):
    """Returns the table of latencies at one rate, with ratios to the best peer."""
    columns = ["server", *(f"{name} µs" for name in QUANTILES), "slice p99 µs",
               "p50 / best", "p99 / best", "slice p99 / best", "CPU µs / message", "sent",
               "answered", "late µs", "noise %", "note"]
    rows = []
    for name, result in cell.results.items():
        runs = result.runs
        if not runs:
            rows.append([name, *["-"] * (len(columns) - 2), result.note])
            continue
        rows.append([
            name, *(number(quantile(result, each)) for each in (*QUANTILES, "slice_p99")),
            *(of_best(cell, name, each) for each in ("p50", "p99", "slice_p99")),
            number(median(run.cost for run in runs) * 1e6 or None),
            f"{sum(run.sent for run in runs):,}", f"{sum(run.requests for run in runs):,}",
            number(median(run.delay for run in runs)), percent(run.noise for run in runs),
            note(result)])
    title = f"### {scenario.name}, {cell.connections} connections, {cell.rate:,.0f} messages/s"
    return f"{title}\n\n{table(columns, rows)}\n"


def open_loop_summary(scenario, cells):
    """Returns the table that compares each other server with the best peer and the bound."""
    names = cells[0].contenders
    columns = ["connections", "messages/s"]
    for each in ("p50", "p99", "slice p99"):
        columns += [f"best {each} µs", *(f"{name} {each} / best" for name in names)]
    columns += [f"{name} ≤ {BOUND:.2f}" for name in names]
    rows = []
    for cell in cells:
        row = [f"{cell.connections}", f"{cell.rate:,.0f}"]
        for each in ("p50", "p99", "slice_p99"):
            best = cell.best(each)
            row.append(f"{number(quantile(cell.results[best], each))} {best}" if best else "-")
            row += [of_best(cell, name, each) for name in names]
        rows.append(row + [cell.verdict(name) for name in names])
    return f"### {scenario.name}, compared with the best peer\n\n{table(columns, rows)}\n"


def of_best(cell, name, each):
    best = cell.best(each)
    if not best or name == FLOOR:
        return "-"
    return ratio(cell.values(name, each), cell.values(best, each))


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def breakdown(calls):
    def listed(counts):
        shown = sorted(counts.items(), key=lambda item: -item[1])
        return " ".join(f"{name} {count:.2f}" for name, count in shown if count >= 0.005)

    return "; ".join(f"**{name}** {listed(counts)}" for name, counts in calls.items())


def note(result):
    errors = sum(run.errors for run in result.runs)
    return "; ".join(filter(None, [result.note, f"{errors} errors" if errors else ""]))


def shares(runs):
    """Returns the shares of the two busiest threads in their CPU time, in the median round."""
    larger = median(max(run.threads) / sum(run.threads) for run in runs) * 100
    return f"{larger:.0f}:{100 - larger:.0f}"


def quantile(result, name):
    return median(run.latencies[name] for run in result.runs)


def median(values):
    """Returns the median of the values, or None if there are none."""
    told = [value for value in values if value is not None]
    return statistics.median(told) if told else None


def percent(values):
    return f"{median(values) * 100:.0f}"


def spread(values):
    """Returns the median with the minimum and the maximum."""
    values = [*values]
    return f"{median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


def ratio(mine, base):
    """Returns the median of the rounds' ratios with its 95 % confidence interval."""
    ratios = sorted(own / other for own, other in zip(mine, base))
    if mine == base:
        return "1"
    middle = f"{median(ratios):.3f}"
    if len(ratios) < 6:
        return middle
    outer = max(0, int(len(ratios) / 2 - 0.98 * len(ratios) ** 0.5))
    return f"{middle} ({ratios[outer]:.2f}-{ratios[-1 - outer]:.2f})"


def number(value):
    """Formats a number with three digits; "0" means exactly zero."""
    if value is None:
        return "-"
    return "0" if value == 0 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
