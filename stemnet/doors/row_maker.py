"""How rows of many images are made alike: what describes columns, patches and windows of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.column_windows import column_windows, image_windows, side_of_maps
from stemnet.descriptors.disks import column_disks
from stemnet.descriptors.image_spacing import image_spacing
from stemnet.descriptors.neighbors import lattice_of, sublattice_of
from stemnet.descriptors.patches import patch_size
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows, windows_for
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph

KINDS = ("vectors", "patches", "windows")
UNLIKE = 1.3
"""Ratio of suitable sizes from which images do not show the same at one size."""
STEPS = 4
"""Windows that are trained on are this part of their side apart: closer ones hardly differ, farther ones are few."""


@dataclass(frozen=True)
class Source:
    """An image and its columns.

    Parameters
    ----------
    name : str
    micrograph : Micrograph
    columns : Columns
        All frames.
    """

    name: str
    micrograph: Micrograph
    columns: Columns


@dataclass(frozen=True)
class RowMaker:
    """How rows are made of an image and its columns.

    Parameters
    ----------
    kind : {"vectors", "patches", "windows"}
    describe : callable
        Of rows of vectors, as `stemnet.analysis.side_by_side` takes it.
    size : int or None
        Side of a patch or window [px].
    center : int or None
        Sublattice that patches are cut around.
    windows : Windows or None
        Of the kind of that name, once they are known.
    maps : bool
        Spectra of windows as maps of frequencies, which turn as the image does.

    Raises
    ------
    StemnetError
        If there is no such kind.
    """

    kind: str
    describe: Callable[..., Descriptors] | None = None
    size: int | None = None
    center: int | None = None
    windows: Windows | None = None
    maps: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise StemnetError(f"rows={self.kind} was given; give {', '.join(KINDS[:-1])} or {KINDS[-1]}.")

    def __call__(self, columns: Columns, image: np.ndarray) -> Descriptors:
        """Rows of the columns of an image (H, W), or of a stack (T, H, W) with the field ``frame``."""
        if self.kind == "windows":
            assert self.windows is not None
            return column_windows(columns, image, self.windows, self.maps)
        if self.kind == "patches":
            return column_disks(columns, image, self.size, self.center)
        assert self.describe is not None
        lattice = lattice_of(columns)
        columns = columns.with_fields(sublattice=sublattice_of(columns, lattice))
        return self.describe(columns, lattice=lattice)

    def tables(self, source: Source) -> Iterator[Descriptors]:
        """Rows to train on, of one frame after the other: of its columns, or of all its windows."""
        columns, frames = source.columns, source.micrograph.frames
        if self.kind == "windows":
            assert self.windows is not None
            for image in frames:
                yield image_windows(image, self.windows, self.maps)
            return
        frame = np.asarray(columns["frame"]) if "frame" in columns else np.zeros(len(columns), int)
        for number in np.unique(frame):
            these = columns.select(frame == number)
            yield self(these.with_fields(frame=np.zeros(len(these), int)), frames[int(number)])

    def suited(self, sources: Sequence[Source], step: int | None = None, turning: bool = False) -> RowMaker:
        """With what was left open, as suits all images: one size of patch, or of window.

        Parameters
        ----------
        sources : sequence of Source
        step : int, optional
            From one window to the next [px]; by default a quarter of the side.
        turning : bool
            Rows are to be compared at all angles.

        Raises
        ------
        StemnetError
            If what suits one image is much too large for another, or no lattice says how large a window should be.
        """
        if self.kind == "patches":
            return self if self.size else replace(self, size=common_size(sources))
        if self.kind == "windows":
            return replace(self, windows=common_windows(sources, self.size, step), maps=turning)
        return self

    @property
    def patch_shape(self) -> tuple[int, int] | None:
        """Rows and columns of what is a picture; None for other rows."""
        if self.kind == "patches":
            assert self.size is not None
            return self.size, self.size
        if self.maps:
            assert self.windows is not None
            return (side_of_maps(self.windows),) * 2
        return None

    def record(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """For the card of a weights file; vectors by the settings of their descriptor."""
        if self.kind == "windows":
            assert self.windows is not None
            return {"rows": self.kind, "maps": self.maps, **asdict(self.windows)}
        if self.kind == "patches":
            return {"rows": self.kind, "size": self.size, "center": self.center}
        return {"rows": self.kind, "descriptor": dict(descriptor)}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> RowMaker | None:
        """Maker of rows that a card names; None for vectors, which the descriptor of a run makes."""
        if record.get("rows") == "windows":
            windows = Windows(**{one.name: record[one.name] for one in fields(Windows)})
            return cls("windows", size=windows.size, windows=windows, maps=record["maps"])
        if record.get("rows") == "patches":
            return cls("patches", size=record["size"], center=record["center"])
        return None


def common_size(sources: Sequence[Source]) -> int:
    """Side of a patch that suits all images [px], odd.

    Raises
    ------
    StemnetError
        If what suits one is much too large for another.
    """
    sizes = {one.name: float(patch_size(one.columns)) for one in sources}
    return 2 * (int(_agreed(sizes, "Patches")) // 2) + 1


def common_windows(sources: Sequence[Source], size: int | None = None, step: int | None = None) -> Windows:
    """Windows that suit all images: four periods of their lattice, with the logarithm of magnitudes.

    Parameters
    ----------
    sources : sequence of Source
        Their columns say what the period is, else the images' autocorrelation.
    size, step : int, optional
        [px]; by default that of four periods, and a quarter of it.

    Raises
    ------
    StemnetError
        If what suits one image is much too large for another, or no lattice is seen and no size given.
    """
    periods = {one.name: period for one in sources if (period := _period(one)) is not None}
    if not periods and size is None:
        raise StemnetError(
            f"None of {len(sources)} images shows a lattice that windows could be sized by. Give size=<px>, some four "
            "periods."
        )
    if not periods:
        assert size is not None
        return Windows(size, step or max(1, size // STEPS), log=True, highest=0.25)
    if size is None:
        _agreed({name: float(windows_for(period).size) for name, period in periods.items()}, "Windows")
    found = windows_for(float(np.median(list(periods.values()))), log=True)
    side = size or found.size
    return Windows(side, step or max(1, side // STEPS), log=True, highest=max(found.highest, 1 / side))


def _period(source: Source) -> float | None:
    """Longer vector of the primitive cell of the first frame [px]."""
    columns = source.columns
    first = columns.select(np.asarray(columns["frame"]) == 0) if "frame" in columns else columns
    lattice = lattice_of(first) if len(first) else None
    if lattice is not None:
        return float(np.hypot(*lattice.vectors.T).max())
    return image_spacing(source.micrograph.frames[0])


def _agreed(sizes: Mapping[str, float], what: str) -> float:
    """The middle of sizes that suit images, by their names [px]."""
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[large] > UNLIKE * sizes[small]:
        raise StemnetError(
            f"{what} of {sizes[small]:g} px suit {small}, and of {sizes[large]:g} px {large}: the images are of "
            f"different scale, so that {what.lower()} of one size show different things. Give size=<px>, or pool "
            "images of one scale."
        )
    return float(np.median(list(sizes.values())))
