"""Files that travel with the package: configs, weights and the bundled example."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


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


def weights() -> Path:
    """The weights that come with stemnet."""
    return PACKAGE / "weights" / "universal.safetensors"
