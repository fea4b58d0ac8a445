"""Files that travel with the package: configs, weights and the bundled example."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SHIPPED = ("universal", "large")
"""Weights that come with stemnet, by name."""


def _folder(name: str) -> Path:
    """A folder inside the installed package, or beside it in a source checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def configs() -> Path:
    """Folder of the Hydra configs."""
    return _folder("configs")


def simulated_data() -> Path:
    """Folder of the frozen simulated examples."""
    return _folder("simulated_data")


def weights(named: str | None = None) -> Path:
    """Weights by one of the names of `SHIPPED`, or of a file; the first of those where none are named."""
    if named is None or named in SHIPPED:
        return PACKAGE / "weights" / f"{named or SHIPPED[0]}.safetensors"
    return Path(named)
