# SPDX-License-Identifier: BSD-3-Clause
"""A sweep as a picture: lines with points, in SVG.

    plot.save(path, "title", "what x is", "what y is", {"name": [(x, y), ...], ...}, log_x=True)
"""

import math
import xml.sax.saxutils

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 55
COLOURS = ("#0b6e99", "#c4512d", "#3d8b3d", "#7a4fa3", "#8a6d00", "#555555")
STEPS = (1, 2, 2.5, 5, 10)


def escape(text):
    return xml.sax.saxutils.escape(str(text))


def top_and_step(most):
    """Of an axis from 0: a round number that holds `most`, and some five steps to it."""
    rough = most / 5 or 1
    power = 10 ** math.floor(math.log10(rough))
    step = next(s * power for s in STEPS if s * power >= rough * 0.999)
    return math.ceil(most / step - 1e-9) * step or step, step


class Axes:
    def __init__(self, series, log_x):
        points = [point for line in series.values() for point in line]
        self.xs = sorted({x for x, _ in points})
        self.scale = math.log2 if log_x else float
        self.low, self.high = self.scale(self.xs[0]), self.scale(self.xs[-1])
        self.top, self.step = top_and_step(max(y for _, y in points))

    def x(self, value):
        span = self.high - self.low or 1
        return LEFT + (self.scale(value) - self.low) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def grid(axes):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for i in range(round(axes.top / axes.step) + 1):
        value = i * axes.step
        yield f'<line x1="{LEFT}" x2="{right}" y1="{axes.y(value):.1f}" y2="{axes.y(value):.1f}" stroke="#ddd"/>'
        yield text(LEFT - 8, axes.y(value) + 4, f"{value:g}", "end")
    for x in axes.xs:
        yield f'<line x1="{axes.x(x):.1f}" x2="{axes.x(x):.1f}" y1="{bottom}" y2="{bottom + 5}" stroke="#555"/>'
        yield text(axes.x(x), bottom + 20, f"{x:g}")


def line(axes, number, name, points):
    colour = COLOURS[number % len(COLOURS)]
    places = [(axes.x(x), axes.y(y)) for x, y in sorted(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    y = TOP + 10 + 20 * number
    yield f'<line x1="{WIDTH - RIGHT + 15}" x2="{WIDTH - RIGHT + 35}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
    yield text(WIDTH - RIGHT + 40, y + 4, name, "start")


def svg(title, x_title, y_title, series, log_x=False):
    axes = Axes(series, log_x)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(LEFT, 22, title, "start", 'font-size="15"'),
             text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title),
             text(0, 0, y_title, more=f'transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'), *grid(axes)]
    for number, (name, points) in enumerate(series.items()):
        parts += line(axes, number, name, points)
    return "\n".join([*parts, "</svg>", ""])


def save(path, *args, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(*args, **kwargs), encoding="utf-8")
