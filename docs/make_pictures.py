"""Make the pictures of the README and the guides: ``python docs/make_pictures.py``.

Runs the default prediction and keeps its pictures, small enough for a
repository. Run it again when the weights or the figures change.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
WIDTH = 1400
COLORS = 128


def main() -> None:
    """Predict the bundled example and shrink the pictures of its result folder."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    (HERE / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(HERE.parent / "predict.py"), f"output={folder}"]
        subprocess.run(command, check=True)
        for name in ("side_by_side", "pca", "vae"):
            (path,) = Path(folder).glob(f"*/{name}.png")
            with Image.open(path) as picture:
                small = picture.convert("RGB")
                small.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
                small.quantize(COLORS).save(HERE / "pictures" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
