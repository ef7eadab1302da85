"""Draws saved results as bar charts: one SVG for light pages and one for dark pages."""
import html
import pathlib
import statistics

from .latency import FLOOR

# The default panels: SCENARIO/CONNECTIONS[/RATE]:NUMBER.
PANELS = ("own/64:cost", "close/64:cost", "1m/8:cost", "latency/64/10000:slice_p99")
TITLES = {
    "own": "Messages of 64 bytes", "http": "Small HTTP responses", "1m": "Responses of 1 MiB",
    "close": "A connection for each request", "iperf-up": "Bulk from the client",
    "iperf-down": "Bulk to the client", "redis": "redis-benchmark GET", "echo": "Echo of 64 bytes",
    "accept-and-drop": "Accept and close", "canned": "Small responses, cheap server",
    "canned-close": "A connection for each request, cheap server",
    "names": "TLS handshakes, routed by name",
    "names-hello": "Routed by name, without cryptography",
    "latency": "Latency at {rate:,.0f} messages/s",
}
OURS = ("verypolld", "verypoll")
THEMES = {
    "light": {"page": "#ffffff", "line": "#d0d7de", "text": "#1f2328", "faint": "#59636e",
              "ours": "#0969da", "peer": "#8c959f"},
    "dark": {"page": "#0d1117", "line": "#30363d", "text": "#e6edf3", "faint": "#9198a1",
             "ours": "#58a6ff", "peer": "#6e7681"},
}
FONTS = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif"

# Pixels: a panel, its names, a letter of a longer name, the room for the number after the longest
# bar, a bar with its gap.
PANEL, GAP, NAMES, LETTER, NUMBERS, ROW, BAR = 430, 30, 118, 7, 62, 22, 14
HEAD, AXIS, FOOT = 54, 44, 44


def write(cells, prefix, panels=None, servers=None):
    """Writes PREFIX-light.svg and PREFIX-dark.svg, and returns their paths."""
    chosen = [panel for each in panels or PANELS
              if (panel := panel_of(cells, each, servers, isRequired=bool(panels)))]
    if not chosen:
        raise RuntimeError(f"nothing to draw; measured: {', '.join(map(name_of, cells)) or 'none'}")
    paths = []
    for theme, colors in THEMES.items():
        path = pathlib.Path(f"{prefix}-{theme}.svg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture(chosen, colors))
        paths.append(path)
    return paths


def name_of(cell):
    rate = f"/{cell['rate']}" if cell["rate"] else ""
    return f"{cell['scenario']}/{cell['connections']}{rate}"


def panel_of(cells, text, servers, isRequired):
    """Returns the cell and the values of each server, or None if they were not measured."""
    name, _, number = text.partition(":")
    cell = next((cell for cell in cells if name_of(cell) == name), None)
    values = {server: result[number or "cost"] for server, result in
              (cell or {"servers": {}})["servers"].items()
              if result.get(number or "cost") and (not servers or server in (*servers, FLOOR))}
    if not values:
        if isRequired:
            raise RuntimeError(f"{text} was not measured; expected one of"
                               f" {', '.join(map(name_of, cells)) or 'none'}")
        return None
    if (number or "cost") == "cost":
        values.pop(FLOOR, None)  # The load's own server uses no time of the proxies' core.
    return cell, number or "cost", values


def axis_label(cell, number):
    if number != "cost":
        quantile = number.removeprefix("slice_").replace("p", "", 1)
        return f"{quantile}th percentile in µs, lower is better"
    unit = "s for each GB" if cell["unit"] == "MiB" else f"µs for each {cell['unit']}"
    return f"CPU time in {unit}, lower is better"


def step_of(largest):
    """Returns the distance between ticks: 1, 2 or 5 times a power of ten, for 3 to 6 ticks."""
    power = 10.0 ** -9
    while True:
        for factor in (1, 2, 5):
            if largest / (factor * power) <= 6:
                return factor * power
        power *= 10


def number_text(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def text(x, y, words, color, size=13, anchor="start", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}"'
            f' text-anchor="{anchor}"{extra}>{html.escape(words)}</text>')


def draw_panel(left, top, panel, colors):
    cell, number, values = panel
    middles = {name: statistics.median(each) for name, each in values.items()}
    names = max(NAMES, LETTER * max(map(len, middles)) + 8)
    start, room = left + names, PANEL - names - NUMBERS
    step = step_of(max(middles.values()))
    scale = room / max(middles.values())
    title = TITLES.get(cell["scenario"], cell["scenario"]).format(rate=cell["rate"] or 0)
    bottom = top + HEAD + len(values) * ROW
    parts = [text(left, top + 18, title, colors["text"], 16, extra=' font-weight="600"'),
             text(left, top + 38, f"{cell['connections']:,} connections", colors["faint"])]
    tick = 0
    while tick * step <= max(middles.values()) * 1.001:
        x = start + tick * step * scale
        line = f"M{x:.1f} {top + HEAD - 4}V{bottom + 4}"
        parts.append(f'<path d="{line}" stroke="{colors["line"]}"/>')
        parts.append(text(x, bottom + 19, f"{tick * step:,.10g}", colors["faint"], 12, "middle"))
        tick += 1
    parts.append(text(start, bottom + 37, axis_label(cell, number), colors["faint"], 12))
    for row, (name, middle) in enumerate(middles.items()):
        y = top + HEAD + row * ROW
        isOurs = name.split(" ")[0] in OURS
        bold = ' font-weight="600"' if isOurs else ""
        shown = "no proxy" if name == FLOOR else name
        parts.append(text(start - 8, y + 12, shown, colors["text"], 13, "end", bold))
        parts.append(f'<rect x="{start}" y="{y + 1}" width="{max(1, middle * scale):.1f}"'
                     f' height="{BAR}" rx="2" fill="{colors["ours" if isOurs else "peer"]}"/>')
        parts.append(text(start + middle * scale + 6, y + 12, number_text(middle), colors["text"],
                          13, extra=bold))
    return parts


def picture(panels, colors):
    columns = min(2, len(panels))
    width = columns * PANEL + (columns + 1) * GAP
    rows = [panels[index:index + columns] for index in range(0, len(panels), columns)]
    heights = [HEAD + AXIS + max(len(values) for _, _, values in row) * ROW + 20 for row in rows]
    height = sum(heights) + FOOT + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
             f' viewBox="0 0 {width} {height}" font-family="{FONTS}" role="img">',
             "<title>CPU time and latency; lower is better</title>",
             f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"'
             f' fill="{colors["page"]}" stroke="{colors["line"]}"/>']
    top = 16
    for row, tall in zip(rows, heights):
        for column, panel in enumerate(row):
            parts += draw_panel(GAP + column * (PANEL + GAP), top, panel, colors)
        top += tall
    cells = [cell for cell, _, _ in panels]
    rounds = {len(each) for _, _, values in panels for each in values.values()}
    dates = sorted({cell["date"] for cell in cells})
    count = f"{min(rounds)}" if len(rounds) == 1 else f"{min(rounds)} to {max(rounds)}"
    parts.append(text(GAP, top + 10, f"Medians of {count} rounds. {cells[0]['machine']}. "
                      f"{', '.join(dates)}", colors["faint"], 12))
    return "\n".join([*parts, "</svg>"]) + "\n"
