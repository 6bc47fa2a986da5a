"""The charts: SVG that needs no library to make and none to show, in light and in dark."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

import attrs

from benchmarks.results import Row, Series
from benchmarks.wording import brief, duration

_STYLE: Final = """
  text { font-family: -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #1f2933; }
  .page { fill: #ffffff; stroke: #d8dee6; }
  .title { font-size: 17px; font-weight: 600; }
  .note { font-size: 12px; fill: #5f6c7b; }
  .label { font-size: 13px; }
  .value { font-size: 13px; font-weight: 600; }
  .grid { stroke: #e6eaf0; stroke-width: 1; }
  .bar { fill: #2563eb; }
  .short { fill: #d97706; }
  .target { stroke: #0f172a; stroke-width: 2.5; }
  .peer { stroke-dasharray: 6 5; opacity: 0.55; }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e9f0; }
    .page { fill: #0f1720; stroke: #2b3642; }
    .note { fill: #9aa7b5; }
    .grid { stroke: #22303c; }
    .bar { fill: #60a5fa; }
    .short { fill: #fbbf24; }
    .target { stroke: #f8fafc; }
  }
"""
_COLOURS: Final = ("#2563eb", "#059669", "#c026d3", "#ea580c")
_WIDTH: Final = 880
_MARGIN: Final = 24


def ratios_chart(rows: Sequence[Row]) -> str:
    """How many times faster than the peer, one bar for each operation, with its target."""
    shown = [row for row in rows if row.ratio is not None and row.peer is not None and not row.at_most]
    left, right, top, step = 310, _WIDTH - 90, 84, 34
    height = top + step * len(shown) + 54
    scale = _Scale(1, 10 ** math.ceil(math.log10(max((row.ratio or 1) for row in shown))), left, right)
    bottom = top + step * len(shown)
    parts = [
        _text(_MARGIN, 34, "Times faster than scim2-server 0.8.3", "title"),
        _text(_MARGIN, 56, "The same requests in one process, both over memory; the mark is the target", "note"),
    ]
    for tick in scale.ticks():
        parts.append(_line(scale.at(tick), top - 8, scale.at(tick), bottom, "grid"))
        parts.append(_text(scale.at(tick), bottom + 20, f"{brief(tick)} ×", "note", "middle"))
    for number, row in enumerate(shown):
        ratio = row.ratio or 1
        y, end = top + step * number, scale.at(max(ratio, 1))
        parts.append(_text(left - 12, y + 18, row.operation.replace("`", ""), "label", "end"))
        kind = "bar" if row.passes else "short"
        parts.append(f'<rect class="{kind}" x="{left}" y="{y + 4}" width="{end - left:.1f}" height="20" rx="3"/>')
        target = scale.at(row.target)
        parts.append(_line(target, y + 1, target, y + 27, "target"))
        parts.append(_text(max(end, target) + 10, y + 19, f"{brief(ratio)} ×", "value"))
    return _document(height, "Times faster than scim2-server", parts)


def cost_chart(title: str, note: str, series: Sequence[Series]) -> str:
    """Time per request against a size, both on logarithmic axes; the peer's lines are dashed."""
    height, left, right, top, bottom = 460, 84, _WIDTH - 262, 84, 400
    sizes = [size for one in series for size, _ in (*one.points, *one.peer)]
    times = [seconds for one in series for _, seconds in (*one.points, *one.peer)]
    across = _Scale(10 ** _floor(min(sizes)), 10 ** _ceiling(max(sizes)), left, right)
    # Room above and below, for the names at the ends of the lines.
    up = _Scale(min(times) / 3, max(times) * 2, bottom, top)
    parts = [_text(_MARGIN, 34, title, "title"), _text(_MARGIN, 56, note, "note")]
    for tick in across.ticks():
        parts.append(_line(across.at(tick), top, across.at(tick), bottom, "grid"))
        parts.append(_text(across.at(tick), bottom + 22, f"{round(tick):,}", "note", "middle"))
    parts.append(_text((left + right) / 2, bottom + 44, series[0].sizes, "note", "middle"))
    for tick in up.ticks():
        parts.append(_line(left, up.at(tick), right, up.at(tick), "grid"))
        parts.append(_text(left - 10, up.at(tick) + 4, duration(tick), "note", "end"))
    labels: list[tuple[float, str, str]] = []
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        if one.peer:
            parts.append(_polyline(one.peer, across, up, "line peer", colour))
            parts += [_dot(across.at(size), up.at(seconds), "peer", colour) for size, seconds in one.peer]
            labels.append((up.at(one.peer[-1][1]), f"scim2-server: {one.name}", colour))
        parts.append(_polyline(one.points, across, up, "line", colour))
        parts += [_dot(across.at(size), up.at(seconds), "", colour) for size, seconds in one.points]
        labels.append((up.at(one.points[-1][1]), one.name, colour))
    parts += _spread(labels, right + 14)
    return _document(height, title, parts)


@attrs.frozen
class _Scale:
    """A logarithmic axis from *low* at *start* to *high* at *end*."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> Iterator[float]:
        for power in range(_ceiling(self.low), _floor(self.high) + 1):
            yield 10.0**power


def _floor(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)


def _ceiling(value: float) -> int:
    return math.ceil(math.log10(value) - 1e-9)


def _spread(labels: Sequence[tuple[float, str, str]], x: float) -> Iterator[str]:
    """The labels at the ends of their lines, moved apart where they would overlap."""
    last = -math.inf
    for y, name, colour in sorted(labels):
        last = max(y + 4, last + 18)
        yield f'<circle cx="{x}" cy="{last - 4:.1f}" r="4" style="fill:{colour}"/>'
        yield _text(x + 10, last, name.replace("`", ""), "note")


def _polyline(points: Sequence[tuple[int, float]], across: _Scale, up: _Scale, kind: str, colour: str) -> str:
    path = " ".join(f"{across.at(size):.1f},{up.at(seconds):.1f}" for size, seconds in points)
    style = f' style="stroke:{colour}"' if colour else ""
    return f'<polyline class="{kind}" points="{path}"{style}/>'


def _dot(x: float, y: float, kind: str, colour: str) -> str:
    style = f' style="fill:{colour}"' if colour else ""
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"{style}/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(height: int, title: str, parts: Sequence[str]) -> str:
    page = f'<rect class="page" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="10"/>'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        page,
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
