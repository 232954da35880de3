"""The curves of the table as an SVG: what one costs as there are more of them.

Both axes are logarithmic, and a cost is shown relative to the curve's own lowest, so that a level
line means: no dearer however many. Written by hand because it is one chart of straight
lines; it follows the reader's light or dark scheme, which a plotting library's bitmap would not.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from tests.performance.figures import Row

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 220, 40, 50
#: Of the Okabe and Ito palette, which colour-blind readers can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#888888")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 } .axis { stroke: #888 } .grid { stroke: #ddd }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #444 } }
"""


def curves_of(rows: Sequence[Row]) -> dict[str, list[tuple[int, float]]]:
    """Size and cost relative to the lowest, by ascending size, by curve; of two points or more."""
    points: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.curve is not None and row.size is not None:
            points.setdefault(row.curve, []).append((row.size, row.cost))
    return {
        curve: [(size, cost / min(cost for _, cost in found)) for size, cost in sorted(found)]
        for curve, found in points.items()
        if len(found) > 1
    }


def plot(rows: Sequence[Row]) -> str:
    """The chart as the text of an SVG file."""
    curves = curves_of(rows)
    sizes = [size for points in curves.values() for size, _ in points]
    costs = [cost for points in curves.values() for _, cost in points]
    decades = math.ceil(math.log10(max(sizes, default=10)))
    # Two powers of ten at least, so that noise looks like noise.
    low, high = 0, max(2, math.ceil(math.log10(max(costs, default=1))))

    def x(size: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(size) / decades

    def y(cost: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(cost)) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(_summary(curves))}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="20">cost of one, relative to its lowest</text>',
    ]
    for power in range(low, high + 1):
        height = y(10**power)
        kind = "axis" if power == 0 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{10.0**power:g} x</text>'
        )
    parts += [
        f'<text x="{x(10**power):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
        f"{10**power:,}</text>"
        for power in range(decades + 1)
    ]
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">how many there are</text>')
    for number, (curve, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(f"{x(size):.1f},{y(cost):.1f}" for size, cost in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(size):.1f}" cy="{y(cost):.1f}" r="3.5" fill="{colour}"/>'
            for size, cost in points
        ]
        level = TOP + 20 * number
        parts.append(
            f'<path d="M{WIDTH - RIGHT + 16} {level}h20" stroke="{colour}" stroke-width="3"/>'
            f'<text x="{WIDTH - RIGHT + 42}" y="{level + 4}">{escape(curve)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _summary(curves: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    """For those who do not see it."""
    ends = [
        f"{curve}: {points[-1][1]:.2f} x at {points[-1][0]:,}" for curve, points in curves.items()
    ]
    return "Cost of one relative to its lowest. " + "; ".join(ends)
