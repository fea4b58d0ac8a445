"""Are two folders of examples the same, but for rounding and another torch's random draws?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stemnet.reading import read_micrograph
from stemnet.storage import read_columns_csv, read_rows


def compare(kept: Path, fresh: Path, names: Sequence[str]) -> list[str]:
    """What differs between two folders of examples by more than rounding and another torch's random draws."""
    complaints = []
    for name in names:
        image, again = (read_micrograph(folder / f"{name}.tif") for folder in (kept, fresh))
        for kind in ("truth", "vacancies"):
            old, new = kept / f"{name}.{kind}.csv", fresh / f"{name}.{kind}.csv"
            if old.is_file() != new.is_file() or (old.is_file() and not _same_table(old, new, image.shape)):
                complaints.append(f"{old.name} differs")
        old, new = (folder / f"{name}.fields.npz" for folder in (kept, fresh))
        if old.is_file() != new.is_file() or (old.is_file() and not _same_fields(old, new)):
            complaints.append(f"{old.name} differs")
        if image.sampling != again.sampling or image.shape != again.shape:
            complaints.append(f"{name}.tif has another shape or sampling")
        elif not np.array_equal(image.image, again.image) and not _same_law(image.image, again.image):
            complaints.append(f"{name}.tif differs by more than counting noise")
    return complaints


def _same_table(old: Path, new: Path, shape: tuple[int, int]) -> bool:
    if read_rows(old)[0].keys() != read_rows(new)[0].keys():
        return False
    one, other = read_columns_csv(old, shape), read_columns_csv(new, shape)
    if len(one) != len(other) or not np.allclose(one.yx, other.yx, atol=2e-4):
        return False
    return all(
        np.allclose(values, other[name], rtol=1e-3, atol=2e-4, equal_nan=True)
        if values.dtype.kind == "f"
        else np.all(values == other[name])
        for name, values in one.fields.items()
    )


def _same_fields(old: Path, new: Path) -> bool:
    with np.load(old) as one, np.load(new) as other:
        return set(one.files) == set(other.files) and all(
            np.allclose(one[key].astype(float), other[key], rtol=2e-3, atol=2e-4, equal_nan=True)
            for key in one.files
        )


def _same_law(old: np.ndarray, new: np.ndarray, block: int = 16) -> bool:
    """Are two images draws from one expectation? Means of blocks may differ by their counting noise."""
    means = [image.reshape(-1, block, image.shape[1] // block, block).mean((1, 3)) for image in (old, new)]
    noise = np.sqrt((means[0] + means[1]).clip(1) / block**2)
    score = (means[0] - means[1]) / noise
    return bool(np.sqrt(np.mean(score**2)) < 1.3 and abs(score.mean()) < 0.2)
