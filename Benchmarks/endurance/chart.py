"""Draws line charts over time as SVG, one panel below another."""
import html
import math

WIDTH, HEIGHT, LEFT, TOP, GAP = 960, 110, 90, 30, 46
COLOURS = ("#1f6feb", "#d1242f")


def ticks(low, high, count=4):
    """Returns round numbers between two numbers."""
    rough = (high - low) / count or 1
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    first = math.ceil(low / step - 1e-9)
    return [step * each for each in range(first, math.floor(high / step + 1e-9) + 1)]


def panel(title, lines, seconds, top):
    """Draws one panel with its frame, axes and lines; each line has a name and values."""
    low, high = 0, max([max(values, default=0) for _, values in lines] + [1e-9]) * 1.05
    end = max(seconds[-1], 1)

    def x(second):
        return LEFT + second / end * WIDTH

    def y(value):
        return top + HEIGHT - (value - low) / (high - low) * HEIGHT

    yield f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{html.escape(title)}</text>'
    for value in ticks(low, high):
        yield (f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
               f'stroke="#ddd"/><text x="{LEFT - 8}" y="{y(value) + 4:.1f}" '
               f'text-anchor="end">{value:g}</text>')
    for minute in ticks(0, end / 60, 8):
        yield (f'<text x="{x(minute * 60):.1f}" y="{top + HEIGHT + 16}" '
               f'text-anchor="middle">{minute:g} min</text>')
    # Draws the last line first, so that a median is drawn over its percentile.
    for index, (name, values) in reversed([*enumerate(lines)]):
        points = " ".join(f"{x(second):.1f},{y(value):.1f}"
                          for second, value in zip(seconds, values))
        yield (f'<polyline points="{points}" fill="none" stroke="{COLOURS[index]}" '
               f'stroke-width="1"/>')
        if len(lines) > 1:
            yield (f'<text x="{LEFT + WIDTH - 80 * (len(lines) - index - 1)}" y="{top - 8}" '
                   f'text-anchor="end" fill="{COLOURS[index]}">{html.escape(name)}</text>')


def draw(title, panels, seconds):
    """Returns an SVG file with the panels; each panel has a title and lines."""
    height = TOP + len(panels) * (HEIGHT + GAP) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" '
             f'height="{height}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>',
             f'<text x="{LEFT}" y="18" font-size="14">{html.escape(title)}</text>']
    for index, (name, lines) in enumerate(panels):
        parts += panel(name, lines, seconds, TOP + 26 + index * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>", ""])
