"""The page of a run: `ReportData` -> one HTML file that holds all it needs and works without a network.

plotly.js, the page's scripts and style, the data and the pictures are inside. A Content-Security-Policy forbids every
request and every script but these; names and paths from users are text, in HTML, in JSON and in the scripts.

`data` is what the page shows, `pictures` the other pictures for it, ``page/`` its HTML, style and scripts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from results.plots.style import DPI
from results.report.data import ReportData, report_data
from results.report.pictures import ReportPicture, report_pictures
from results.run.run import Run
from space.shell.words import amount

CSS_INCH = 96  # pixels of a page
SCRIPTS = ("details.js", "table.js", "chart.js", "main.js")


def report_page(run: Run, found: Mapping[str, Any] | None = None, drawn: Mapping[str, bytes] | None = None) -> bytes:
    """The content of report.html; `found` and `drawn` as for `report_pictures`."""
    return draw_report(report_data(run), report_pictures(run, found, drawn))


def draw_report(data: ReportData, pictures: Sequence[ReportPicture]) -> bytes:
    """Step two: the page as UTF-8."""
    plotly = get_plotlyjs()
    script = "".join(_asset(name) for name in SCRIPTS)
    page = Template(_asset("page.html")).substitute(
        policy=_policy(plotly, script),
        style=_theme_colours(data) + _asset("style.css"),
        name=escape(data.name),
        summary=escape(data.summary),
        figures="\n".join(
            f"<li><strong>{escape(n)}</strong><span>{escape(what)}</span></li>" for n, what in data.figures
        ),
        heading="The best at the budget" if data.payload["ranked"] else "Frontier",
        members="the best" if data.payload["ranked"] else "the frontier",
        trust="\n".join(f"<p>{escape(line)}</p>" for line in data.trust),
        caveats="\n".join(f"<p>{escape(line)}</p>" for line in data.caveats),
        pictures=_pictures(pictures),
        settings="\n".join(_group(title, pairs) for title, pairs in data.settings),
        commands="\n".join(
            f'<h3>{escape(what)}</h3>\n<pre tabindex="0">{escape(line)}</pre>' for what, line in data.commands
        ),
        footer=escape(f"{amount(data.networks, 'network')}. Made by archfrontier; chart by plotly.js (MIT licence)."),
        data=json_text(data.payload),
        plotly=plotly,
        script=script,
    )
    return page.encode("utf-8", "backslashreplace")  # a path may have bytes that are no text


def json_text(value: Any) -> str:
    """JSON that is safe inside a <script> element: nothing in it can end the element or begin a comment."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _asset(name: str) -> str:
    return (files("results.report") / "page" / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """No requests at all, no scripts but these; plotly sets styles and draws its downloads by data and blob URLs."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _theme_colours(data: ReportData) -> str:
    light, dark = data.payload["themes"]["light"], data.payload["themes"]["dark"]
    colours = "".join(f"  --{name}: light-dark({light[name]}, {dark[name]});\n" for name in light if name != "name")
    return f":root {{\n{colours}}}\n"


def _pictures(pictures: Sequence[ReportPicture]) -> str:
    shown = "\n".join(_picture(picture) for picture in pictures if picture.addresses)
    missing = "\n".join(
        f"<p>No picture {escape(each.name)} ({escape(each.meaning)}): {escape(each.reason)}</p>"
        for each in pictures
        if not each.addresses
    )
    return f'<div class="pictures">\n{shown}\n</div>\n{missing}'


def _picture(picture: ReportPicture) -> str:
    width, height = picture.size
    shown = round(width * CSS_INCH / DPI)
    told = escape(" ".join(f"{picture.name}: {picture.meaning}. {picture.caption}".split()))
    images = "\n".join(
        f'<img class="{theme}" src="{address}" width="{width}" height="{height}" alt="{told}">'
        for theme, address in picture.addresses
    )
    region = f'role="region" aria-label="Picture: {escape(picture.name)}, scrolls sideways" tabindex="0"'
    return (
        f'<figure style="width: {shown}px; --width: {shown}px">\n<div class="scroll" {region}>\n{images}\n</div>\n'
        f"<figcaption>{escape(picture.meaning)}</figcaption>\n</figure>"
    )


def _group(title: str, pairs: Sequence[tuple[str, str]]) -> str:
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in pairs)
    return f'<div class="card">\n<h3>{escape(title)}</h3>\n<dl>\n{terms}</dl>\n</div>'
