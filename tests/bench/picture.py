"""The figures of a run as bars, for docs/performance.md: an SVG that reads in light and in dark."""

from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, NAMES, VALUES = 720, 170, 80
BAR, GAP, HEADING = 22, 8, 40
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #24292f }
.heading { font-weight: 600 }
.bar { fill: #8c959f }
.ours { fill: #2f6fde }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .bar { fill: #6e7681 }
  .ours { fill: #6ea8fe }
}
"""


def bars(title: str, groups: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """A bar for each value; in each group the first is ours. All have one scale, from zero."""
    longest = max(value for group in groups.values() for value in group.values())
    scale = (WIDTH - NAMES - VALUES) / longest
    drawn, y = [], 0
    for heading, group in groups.items():
        y += HEADING
        drawn.append(f'<text class="heading" x="0" y="{y - 12}">{escape(heading)}</text>')
        for place, (name, value) in enumerate(group.items()):
            kind = "bar" if place else "bar ours"
            middle = y + BAR * 0.72
            drawn += [
                f'<text x="{NAMES - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{kind}" x="{NAMES}" y="{y}" width="{value * scale:.1f}"'
                f' height="{BAR}" rx="3"/>',
                f'<text x="{NAMES + value * scale + 8:.1f}" y="{middle:.0f}">{value:.0f}'
                f" {escape(unit)}</text>",
            ]
            y += BAR + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}"'
            f' width="{WIDTH}" height="{y}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def draw(path: Path, us_per_keystroke: Mapping[int, Mapping[str, float]]) -> None:
    """Write the picture: what a keystroke costs each server, by how many people type."""
    groups = {
        f"CPU per keystroke, {people:,} people": costs for people, costs in us_per_keystroke.items()
    }
    path.write_text(bars("CPU per keystroke of each server", groups, "µs"), encoding="utf-8")
