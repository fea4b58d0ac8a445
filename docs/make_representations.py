"""Make the pictures of the page on representations: ``python docs/make_representations.py --shared FOLDER``.

FOLDER holds real micrographs in ``data/real``; they are not part of this
repository. Those shown are under the MIT license (the page names their
sources), and what is kept of them is a sheet of maps, small enough for a
repository. Without a folder, only the sheet of the bundled example is made.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
WIDTH, COLORS = 720, 200
REAL = ("mos2_re05.tiff", "batio3_100_jeol.dm4")
MORE = (
    "+study.method.embedders.nmf={_target_: stemnet.analysis.NonNegativeParts, n_components: 2}",
    "+study.method.embedders.ica={_target_: sklearn.decomposition.FastICA, n_components: 2, "
    "whiten_solver: svd, max_iter: 1000}",
)
"""Methods beside those of the study."""


def main() -> None:
    """Make them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shared", type=Path, help="folder with data/real")
    given = options.parse_args()
    bundled = HERE.parent / "simulated_data" / "grain_boundary.tif"
    sheet(bundled, "windows", "study.method.rows=windows")
    for name in REAL if given.shared else ():
        sheet(given.shared / "data" / "real" / name, "patches", *MORE)


def sheet(image: Path, rows: str, *settings: str) -> None:
    """Run the study on one image, and keep its sheet."""
    with tempfile.TemporaryDirectory() as folder:
        door = str(HERE.parent / "predict.py")
        words = ["study=representations", f"input={image}", f"output={folder}", *settings]
        subprocess.run([sys.executable, door, *words], check=True)
        made = Path(folder) / "representations" / f"{image.stem}_representations.png"
        kept(made, HERE / "pictures" / f"representations_{image.stem}_{rows}.png")


def kept(made: Path, target: Path) -> None:
    """Write a picture in a size for a repository."""
    with Image.open(made) as picture:
        small = picture.convert("RGB")
        small.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
        small.quantize(COLORS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
