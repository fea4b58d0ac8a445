"""Make the pictures and tables of the guide to studies: ``python docs/make_studies.py [FILE.json]``.

Runs every study on its bundled examples and keeps some of its pictures, small
enough for a repository. With the rows of ``benchmarks/studies.py --json``, the
tables between the markers in ``studies.md`` are written anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
WIDTH, COLORS = 1200, 96
PICTURES = {
    "polarization": ("pbtio3_polar_polarization",),
    "tilt_and_strain": ("srtio3_tilt_strain_abf_strain",),
    "janus": ("wsse_janus_species",),
    "local_crystallography": ("mvteo_m2_shifts",),
    "alloy_series": ("modes",),
    "sliding_fft": ("grain_boundary_sliding_pca",),
    "tiles": ("remos2_55_tiles",),
    "defects": ("mos2_defects_gallery",),
    "movie": ("pt_on_mos2_registration",),
    "representations": ("grain_boundary_representations",),
}
"""Which of a study's pictures are shown, by the beginnings of their names."""


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "rows", nargs="?", type=Path, metavar="FILE.json", help="what benchmarks/studies.py --json wrote"
    )
    rows = parser.parse_args().rows
    if rows and not rows.is_file():
        parser.error(f"{rows} is no file; give what benchmarks/studies.py --json wrote")
    if rows:
        write_tables(HERE / "studies.md", json.loads(rows.read_text(encoding="utf-8")))
    for study, names in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(HERE.parent / "predict.py"), f"study={study}", f"output={folder}"]
            subprocess.run(command, check=True)
            for name in names:
                found = sorted((Path(folder) / study).glob(f"{name}*.png"))
                with Image.open(found[0]) as picture:
                    small = picture.convert("RGB")
                    small.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
                    target = HERE / "pictures" / f"study_{study}_{name.removeprefix(study)}.png"
                    small.quantize(COLORS).save(target, optimize=True)


def write_tables(page: Path, rows: list[dict]) -> None:
    """Put the rows that have an aim between the markers of their study."""
    text = page.read_text(encoding="utf-8")
    for study in dict.fromkeys(row["study"] for row in rows):
        begin, end = f"<!-- table: {study} -->", f"<!-- end: {study} -->"
        if begin not in text:
            continue
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        table = [row for row in rows if row["study"] == study and row.get("aim")]
        text = f"{before}{begin}\n\n{markdown(table)}\n\n{end}{after}"
    page.write_text(text, encoding="utf-8")


def markdown(rows: list[dict]) -> str:
    """A table of numbers and their aims."""
    lines = [
        "| draw | input | quantity | value | unit | aim | reached |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        value = "" if row["value"] is None else f"{row['value']:.3g}"
        cells = (row["draw"], row["input"], row["quantity"], value, row["unit"], row["aim"], row["reached"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
