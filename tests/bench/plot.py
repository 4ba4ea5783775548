"""Lines over numbers, as SVG: axes, ticks, a legend, and nothing else. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 470, 300  # of one panel
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 66, 46  # around its axes
FONT = 'font-family="sans-serif" font-size="11" fill="#222"'
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # told apart by colour-blind people too

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes. lines: by name; logarithmic: the x axis, whose numbers are then above 0"""

    title: str
    x: str
    y: str
    lines: Mapping[str, Points]
    logarithmic: bool = False


def svg(panels: Sequence[Panel]) -> str:
    """Return panels, side by side."""
    width = WIDTH * len(panels)
    size = f'width="{width}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {HEIGHT}" {FONT}>',
        f'<rect {size} fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * WIDTH} 0)">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def ticks(most: float) -> list[float]:
    """Return about five round numbers from 0 to a bit more than `most`."""
    most = most or 1.0
    step = 10.0 ** math.floor(math.log10(most / 5))
    step *= next(factor for factor in (1, 2, 5, 10) if step * factor * 5 >= most)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def number(value: float) -> str:
    """Return a number for an axis."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _panel(panel: Panel) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    x_ticks = _decades(points) if panel.logarithmic else ticks(max((x for x, _ in points), default=1))
    y_ticks = ticks(max((y for _, y in points), default=1))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(value: float) -> float:
        low, high = x_ticks[0], x_ticks[-1]
        share = math.log(value / low) / math.log(high / low) if panel.logarithmic else value / high
        return LEFT + across * share

    def at_y(value: float) -> float:
        return TOP + down * (1 - value / y_ticks[-1])

    bottom = TOP + down
    parts = [f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{escape(panel.title)}</text>']
    for tick in y_ticks:
        y = at_y(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + across}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x_ticks:
        x = at_x(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}" stroke="#222"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{number(tick)}</text>')
    parts += [
        f'<path d="M{LEFT} {TOP}V{bottom}H{LEFT + across}" fill="none" stroke="#222"/>',
        f'<text x="{LEFT + across / 2:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(panel.x)}</text>',
        f'<text x="{LEFT - 48}" y="{TOP - 10}">{escape(panel.y)}</text>',
    ]
    for place, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        if panel.logarithmic:  # a few points, each of which was measured
            parts += [f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>' for x, y in line]
        legend = LEFT + place * across / max(3, len(panel.lines))
        parts.append(f'<rect x="{legend:.1f}" y="32" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{legend + 19:.1f}" y="38">{escape(name)}</text>')
    return parts


def _decades(points: Points) -> list[float]:
    low = math.floor(math.log10(min((x for x, _ in points), default=1)))
    high = math.ceil(math.log10(max((x for x, _ in points), default=10)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]
