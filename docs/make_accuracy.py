"""Put measured numbers into the README and docs/accuracy.md: ``python docs/make_accuracy.py detection.json``.

The file is what ``python benchmarks/detection.py --shared FOLDER --json detection.json``
wrote. Tables stand between ``<!-- table: NAME -->`` and ``<!-- end -->``; the
words around them are written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/accuracy.md")
LATTICES = {"perov": "perovskite A/B", "mos2": "MoS2", "si110": "Si [110] dumbbells"}
Row = dict
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def main() -> None:
    """Fill every table of every page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="what benchmarks/detection.py --json wrote")
    files = parser.parse_args().files
    if missing := [path for path in files if not path.is_file()]:
        parser.error(f"{missing[0]} is no file; give what benchmarks/detection.py --json wrote")
    rows = [row for path in files for row in json.loads(path.read_text(encoding="utf-8"))]
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        for name, table in TABLES.items():
            filled = _markdown(*table(rows))
            text = re.sub(
                rf"(<!-- table: {name} -->\n).*?(<!-- end -->)",
                lambda found, filled=filled: found[1] + filled + found[2],
                text,
                flags=re.DOTALL,
            )
        path.write_text(text, encoding="utf-8")


def common(rows: list[Row]) -> Table:
    """The benchmark that peers were run on."""
    head = ("lattice", "dose", "F1", "RMSE [px]", "/ CRLB", "inside 1 / 2 sigma", "bias y, x [px]",
            "trackpy, recorded", "AtomAI, recorded")  # fmt: skip
    body = []
    for row in rows:
        found = re.fullmatch(r"(perov|mos2|si110)_512_(?:(hard|blur)_)?d(\d+)", row["case"])
        if found:
            lattice, kind, dose = found.groups()
            peers = row["peers"]
            body.append(
                (
                    LATTICES[lattice],
                    f"{kind} {dose}" if kind else dose,
                    _3(row["F1"]),
                    f"{row['rmse']:.4f}",
                    _number(row["over_bound"], 2),
                    f"{row['in_1']:.2f} / {row['in_2']:.2f}",
                    f"{row['bias_y']:.3f}, {row['bias_x']:.3f}",
                    peers.get("trackpy (recorded)", "–"),
                    peers.get("atomai (recorded)", "–"),
                )
            )
    return head, body


def own(rows: list[Row]) -> Table:
    """The bundled examples."""
    head = ("example", "F1", "precision", "recall", "RMSE [px]", "promised F1")
    names = {path.name.removesuffix(".truth.csv") for path in (ROOT / "simulated_data").glob("*.truth.csv")}
    return head, [
        (f"`{r['case']}`", *map(_3, (r["F1"], r["P"], r["R"], r["rmse"], r["promised"])))
        for r in rows
        if r["case"] in names
    ]


def weak(rows: list[Row]) -> Table:
    """Weak columns beside bright ones."""
    head = ("crystal and dose", "weak columns above 5", "of these found", "precision of all")
    return head, [
        (r["case"].removeprefix("weak: "), str(int(r["asked"])), _number(r["R"], 3), _3(r["P"]))
        for r in _starting(rows, "weak: ")
    ]


def nothing(rows: list[Row]) -> Table:
    """Images that hold no column."""
    head = ("image", "columns found", "confidence")
    return head, [
        (r["case"].removeprefix("nothing: "), str(int(r["false"])), "low" if r["low"] else "high")
        for r in _starting(rows, "nothing: ")
    ]


def foreign(rows: list[Row]) -> Table:
    """Images simulated or labelled by others."""
    head = ("image", "F1", "precision", "recall", "RMSE [px]", "confidence")
    words = ("_d150", "_d200", "_d250", "_px15pm", "hand labels")
    return head, [
        (
            r["case"],
            *map(_3, (r["F1"], r["P"], r["R"])),
            _number(r["rmse"], 3),
            "high" if r["confident"] else "low",
        )
        for r in rows
        if any(word in r["case"] for word in words)
    ]


TABLES: dict[str, Callable[[list[Row]], Table]] = {
    "common": common,
    "own": own,
    "weak": weak,
    "nothing": nothing,
    "foreign": foreign,
}


def _starting(rows: list[Row], words: str) -> list[Row]:
    return [row for row in rows if row["case"].startswith(words)]


def _3(value: float | None) -> str:
    return _number(value, 3)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _markdown(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *body]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


if __name__ == "__main__":
    main()
