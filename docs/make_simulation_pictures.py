"""Make the pictures of the simulator: ``python docs/make_simulation_pictures.py [sheet ...]``.

Every tile is a micrograph that `stemnet.simulation` makes from the specimen
named under it. Run it again when the simulator or the library changes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sheets import artefacts, boundaries, cells, crystals, defects, distortions, truth
from sheets.sheet import drawn

PICTURES = Path(__file__).resolve().parent / "pictures"
SHEETS = {
    "defects_1": (defects.tiles, 5),
    "defects_2": (boundaries.tiles, 5),
    "distortions_1": (distortions.tiles, 3),
    "distortions_2": (cells.tiles, 3),
    "artefacts": (artefacts.tiles, 6),
}


def main() -> None:
    """Draw the sheets that are named, or all of them."""
    sheets = ["crystals", *SHEETS, "truth"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "sheets", nargs="*", metavar="sheet", help=f"of {', '.join(sheets)}; all if none is named"
    )
    wanted = parser.parse_args().sheets or sheets
    if unknown := [name for name in wanted if name not in sheets]:
        parser.error(f"there is no sheet called {unknown[0]}; choose one of {', '.join(sheets)}")
    for name in wanted:
        if name == "crystals":
            tiles = crystals.tiles()
            half = -(-len(tiles) // 2)
            drawn(PICTURES / "simulation_crystals_1.png", tiles[:half], 6)
            drawn(PICTURES / "simulation_crystals_2.png", tiles[half:], 6)
        elif name == "truth":
            truth.drawn(PICTURES / "simulation_truth.png")
        else:
            make, across = SHEETS[name]
            drawn(PICTURES / f"simulation_{name}.png", make(), across)


if __name__ == "__main__":
    main()
