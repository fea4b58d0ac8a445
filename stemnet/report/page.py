"""One page per result: warnings, figures and numbers, in a file that any browser opens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from string import Template

from stemnet.storage.text import json_text
from stemnet.storage.whole_file import whole_file

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.15rem; margin-top: 2rem }
.warning { border-left: 4px solid #d55e00; background: #fdf3ec; padding: .4rem .8rem; margin: .4rem 0 }
figure { margin: 1.5rem 0 } img { max-width: 100%; border: 1px solid #ddd } figcaption { color: #555 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid #e4e4e4 }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>$title</h1>
$summary
$warnings
$figures
$tables
$metrics
$files
</body>
</html>
""")


def write_page(
    path: str | os.PathLike,
    *,
    title: str,
    figures: Sequence[tuple[str, str]] = (),
    metrics: Mapping[str, object] | None = None,
    summary: str = "",
    tables: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    warnings: Iterable[str] = (),
    files: Sequence[str] = (),
) -> None:
    """Write a page of one result.

    Parameters
    ----------
    path : path-like
        File to write, in the folder of the result.
    title : str
        Heading, the name of the input.
    figures : sequence of (str, str)
        File name of each picture, relative to the page, and its caption.
    metrics : mapping, optional
        Numbers by name; nested mappings become names with a dot.
    summary : str
        What was found, in a sentence or two.
    tables : mapping of str to sequence of mapping, optional
        Rows by the heading of their table.
    warnings : iterable of str
        Sentences to put on top.
    files : sequence of str
        File names to link, relative to the page.
    """
    numbers = [{"quantity": name, "value": value} for name, value in _flat(metrics or {})]
    text = PAGE.substitute(
        title=escape(title),
        warnings="\n".join(f'<p class="warning">{escape(str(warning))}</p>' for warning in warnings),
        figures="\n".join(
            f'<figure><a href="{_link(name)}"><img src="{_link(name)}" alt="{escape(caption)}"></a>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for name, caption in figures
        ),
        summary=f"<p>{escape(summary)}</p>" if summary else "",
        tables="\n".join(_section(heading, rows) for heading, rows in (tables or {}).items()),
        metrics=_section("Numbers", numbers),
        files="<h2>Files</h2>\n<p>"
        + " · ".join(f'<a href="{_link(name)}">{escape(name)}</a>' for name in files)
        + "</p>"
        if files
        else "",
    )
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _link(name: str) -> str:
    from urllib.parse import quote

    return escape(quote(name))


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    return escape(value if isinstance(value, str) else json_text(value))


def _section(heading: str, rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in names)}</tr>" for row in rows
    )
    return f'<h2>{heading}</h2>\n<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'
