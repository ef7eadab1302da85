"""Results as Markdown."""
import statistics


def servers(scenario, connections, results):
    per = scenario.operation
    columns = ["server", f"CPU µs / {per}", "/ c", f"{per}s/s", "p99 µs", f"calls / {per}",
               f"allocations / {per}", f"retains / {per}"]
    if per == "request":
        columns.append("allocations / connection")
    columns += ["load %", "noise %", "note"]
    rows = []
    base = results["c"].runs if "c" in results else next(iter(results.values())).runs
    for name, result in results.items():
        runs, counts = result.runs, result.counts
        row = [name, number(median(run.cost for run in runs) * 1e6),
               ratio([run.cost for run in runs], [run.cost for run in base]),
               f"{median(run.rate for run in runs):,.0f}",
               number(median(run.p99 for run in runs)),
               f"{counts.total:.2f}", number(counts.allocations), number(counts.retains)]
        if per == "request":
            row.append(number(counts.connection_allocations))
        errors = sum(run.errors for run in runs)
        row += [f"{median(run.load for run in runs):.0%}".rstrip("%"),
                f"{median(run.noise for run in runs):.0%}".rstrip("%"),
                "; ".join(filter(None, [result.note, f"{errors} errors" if errors else ""]))]
        rows.append(row)
    title = f"{scenario.name}, {connections} at a time"
    calls = {name: result.counts.calls for name, result in results.items()}
    return f"### {title}\n\n{table(columns, rows)}\n\nCalls / {per}: {breakdown(calls)}\n"


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


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def breakdown(calls):
    def listed(counts):
        shown = sorted(counts.items(), key=lambda item: -item[1])
        return " ".join(f"{name} {count:.2f}" for name, count in shown if count >= 0.005)

    return "; ".join(f"**{name}** {listed(counts)}" for name, counts in calls.items())


def median(values):
    return statistics.median(values)


def ratio(mine, base):
    """The median of the ratios of the rounds, and where it is with a certainty of 95 %."""
    ratios = sorted(own / other for own, other in zip(mine, base))
    if mine == base:
        return "1"
    middle = f"{median(ratios):.3f}"
    if len(ratios) < 6:
        return middle
    outer = max(0, int(len(ratios) / 2 - 0.98 * len(ratios) ** 0.5))
    return f"{middle} ({ratios[outer]:.2f}-{ratios[-1 - outer]:.2f})"


def number(value):
    """Three digits, and a nought only for nothing at all."""
    return "0" if value == 0 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
