"""Multislice with frozen phonons of one unit cell, by abTEM: what `multislice.py` holds the fast model against.

The image of a crystal repeats with the cell and holds no frequency beyond twice the aperture, so a coarse grid
of beam positions over one cell says everything. Of positions that symmetry makes equal one is computed; each
beam goes into a random cell of the supercell, so that every configuration averages over many atoms.

abTEM (Madsen and Susi, Open Research Europe 1, 24, 2021) is GPL-3.0-or-later; it is imported here alone, and
only when something is computed.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

RING = 5.0
"""Width of the detector's rings [mrad]: any annulus in these steps can be summed afterwards."""
SYMMETRIES = {
    "mirror y": ((-1, 0, 0), (0, 1, 0)),
    "mirror x": ((1, 0, 0), (0, -1, 0)),
    "mirror y at 1/8": ((-1, 0, 0.25), (0, 1, 0)),
    "swap": ((0, 1, 0), (1, 0, 0)),
    "center": ((1, 0, 0.5), (0, 1, 0.5)),
}
"""Rows give the new fractional y and x as factors of y, x and 1."""


@dataclass(frozen=True)
class Optics:
    """Probe and detector; angles in mrad, lengths in A, voltage in kV."""

    voltage: float
    semi_angle: float
    inner: float
    outer: float
    source_size: float = 0.8


@dataclass(frozen=True)
class Block:
    """A rectangular cell that repeats in the plane and along the beam.

    Parameters
    ----------
    name : str
    cell : tuple of float
        Height, width and depth [A].
    atoms : tuple of (str, float, float, float)
        Element and fractional (y, x, z).
    wobble : dict of str to float
        Thermal root mean square along one axis, by element [A].
    repeats : tuple of int
        Cells of the supercell along y and x.
    pixels : tuple of int
        Of the wave, along y and x.
    beams : tuple of int
        Beam positions over one cell, along y and x.
    symmetries : tuple of str
        Names in `SYMMETRIES`.
    layers : tuple of int
        Cells along the beam after which the wave is detected.
    slice_thickness : float
        [A]
    optics : Optics
    """

    name: str
    cell: tuple[float, float, float]
    atoms: tuple[tuple[str, float, float, float], ...]
    wobble: dict[str, float]
    repeats: tuple[int, int]
    pixels: tuple[int, int]
    beams: tuple[int, int]
    symmetries: tuple[str, ...]
    layers: tuple[int, ...]
    slice_thickness: float
    optics: Optics


def strontium_titanate(layers: tuple[int, ...]) -> Block:
    """SrTiO3 [001]; thermal motion of room temperature."""
    a = 3.905
    sites = (
        ("Sr", 0, 0, 0.25),
        ("Ti", 0.5, 0.5, 0.75),
        ("O", 0.5, 0.5, 0.25),
        ("O", 0.5, 0, 0.75),
        ("O", 0, 0.5, 0.75),
    )
    return Block(
        name="SrTiO3",
        cell=(a, a, a),
        atoms=sites,
        wobble={"Sr": 0.089, "Ti": 0.075, "O": 0.096},
        repeats=(5, 5),
        pixels=(432, 432),
        beams=(14, 14),
        symmetries=("mirror y", "mirror x", "swap"),
        layers=layers,
        slice_thickness=a / 2,
        optics=Optics(200.0, 22.0, 80.0, 180.0),
    )


def silicon(layers: tuple[int, ...]) -> Block:
    """Si [110], y along the dumbbells; mirrored columns differ in height by half a period, which is nothing here."""
    a, b = 5.431, 5.431 / np.sqrt(2)
    sites = (("Si", 0, 0, 0.25), ("Si", 0.25, 0, 0.75), ("Si", 0.5, 0.5, 0.75), ("Si", 0.75, 0.5, 0.25))
    return Block(
        name="Si",
        cell=(a, b, b),
        atoms=sites,
        wobble={"Si": 0.076},
        repeats=(4, 5),
        pixels=(480, 432),
        beams=(20, 14),
        symmetries=("mirror y at 1/8", "mirror x", "center"),
        layers=layers,
        slice_thickness=b / 2,
        optics=Optics(200.0, 22.0, 80.0, 180.0),
    )


def molybdenum_disulfide() -> Block:
    """A monolayer of MoS2 (1H) on its rectangular cell."""
    a, depth = 3.16, 6.0
    z = 1.56 / depth
    sulfur = [("S", y, x, 0.5 + side * z) for y, x in ((1 / 6, 0.5), (2 / 3, 0)) for side in (-1, 1)]
    return Block(
        name="MoS2",
        cell=(a * np.sqrt(3), a, depth),
        atoms=(("Mo", 0, 0, 0.5), ("Mo", 0.5, 0.5, 0.5), *sulfur),
        wobble={"Mo": 0.055, "S": 0.06},
        repeats=(3, 5),
        pixels=(256, 240),
        beams=(16, 10),
        symmetries=("mirror x", "center"),
        layers=(1,),
        slice_thickness=1.0,
        optics=Optics(80.0, 30.0, 80.0, 200.0),
    )


def single_atom(element: str, voltage: float) -> Block:
    """One atom in an empty box."""
    fine = voltage > 150
    return Block(
        name=f"{element} atom",
        cell=(12.0, 12.0, 2.0),
        atoms=((element, 0.5, 0.5, 0.5),),
        wobble={element: 0.0},
        repeats=(1, 1),
        pixels=(270, 270) if fine else (180, 180),
        beams=(44, 44) if fine else (36, 36),
        symmetries=("mirror y", "mirror x", "swap"),
        layers=(1,),
        slice_thickness=2.0,
        optics=Optics(voltage, 22.0 if fine else 30.0, 80.0, 180.0),
    )


def sulfur_pair() -> Block:
    """The two S atoms of a column of MoS2, in an empty box."""
    atom = single_atom("S", 80.0)
    pair = (("S", 0.5, 0.5, 0.24), ("S", 0.5, 0.5, 0.76))
    return replace(atom, name="S2 pair", cell=(12.0, 12.0, 6.0), atoms=pair, slice_thickness=1.0)


def representatives(beams: tuple[int, int], symmetries: tuple[str, ...]) -> np.ndarray:
    """For every beam position of the grid the flat index of the one that stands for it, shape `beams`."""
    rows, cols = beams
    y, x = np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij")
    label = np.arange(rows * cols).reshape(beams)
    for _ in range(8):
        before = label
        for (a, b, c), (d, e, f) in (SYMMETRIES[name] for name in symmetries):
            to_y = np.rint((a * y / rows + b * x / cols + c) * rows).astype(int) % rows
            to_x = np.rint((d * y / rows + e * x / cols + f) * cols).astype(int) % cols
            label = np.minimum(label, label[to_y, to_x])
            np.minimum.at(label, (to_y, to_x), label)
        if np.array_equal(before, label):
            break
    return label


def signals(
    what: Block,
    configuration: int,
    cache: Path | None = None,
    *,
    tilt: float = 0.0,
    rows: tuple[int, ...] | None = None,
) -> tuple[np.ndarray, float]:
    """Detected share of the beam for one frozen configuration, from the cache if it is there.

    Parameters
    ----------
    what : Block
    configuration : int
        Seeds the thermal displacements.
    cache : Path, optional
        Folder for finished runs.
    tilt : float
        Of the beam from the zone axis towards +x [mrad].
    rows : tuple of int, optional
        Rows of the beam grid that are scanned, in place of the whole cell.

    Returns
    -------
    share : ndarray, shape (layers, rows, cols, rings)
        In rings of `RING` mrad from the axis on.
    cpu : float
        CPU-seconds that it took.
    """
    part = "" if rows is None else f"_tilt{tilt:g}_rows{'-'.join(map(str, rows))}"
    name = f"{what.name}_{what.optics.voltage:g}kV_{what.layers[-1]}layers{part}_{configuration}.npz"
    file = None if cache is None else cache / name.replace(" ", "_")
    if file is not None and file.exists():
        stored = np.load(file)
        return stored["share"], float(stored["cpu"])
    start = time.process_time()
    share = _multislice(what, configuration, tilt, rows)
    cpu = time.process_time() - start
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npz")
        np.savez(partial, share=share, cpu=cpu)
        partial.replace(file)
    return share, cpu


def _multislice(what: Block, configuration: int, tilt: float, rows: tuple[int, ...] | None) -> np.ndarray:
    """One frozen configuration through abTEM, shape (layers, rows, cols, rings)."""
    try:
        import abtem
        import ase
    except ModuleNotFoundError as missing:
        sys.exit(
            f"{missing.name} is not installed and this run is in no --cache; pip install '.[abtem]' and try again."
        )

    # The same atoms in the same places for every tilt: what the draw adds drops out of differences.
    rng = np.random.default_rng([configuration, len(what.name), 0])
    cell = np.array(what.cell)
    down, across = what.repeats
    places = np.stack(
        np.meshgrid(np.arange(down), np.arange(across), np.arange(what.layers[-1]), indexing="ij"), -1
    ).reshape(-1, 3)
    yxz = np.concatenate([(places + np.array(site[1:])) * cell for site in what.atoms])
    elements = np.repeat([site[0] for site in what.atoms], len(places))
    wobble = np.array([what.wobble[element] for element in elements])
    yxz = yxz + rng.normal(size=yxz.shape) * wobble[:, None]
    size = cell * (down, across, what.layers[-1])
    # abTEM's first axis is x.
    atoms = ase.Atoms(list(elements), positions=yxz[:, [1, 0, 2]], cell=size[[1, 0, 2]], pbc=True)
    per_layer = round(what.cell[2] / what.slice_thickness)
    potential = abtem.Potential(
        atoms,
        gpts=what.pixels[::-1],
        slice_thickness=what.slice_thickness,
        projection="infinite",
        parametrization="lobato",
        exit_planes=tuple(layer * per_layer - 1 for layer in what.layers),
    )
    if rows is None:
        stands_for = representatives(what.beams, what.symmetries)
    else:
        stands_for = np.arange(what.beams[0] * what.beams[1]).reshape(what.beams)[list(rows)]
    chosen, where = np.unique(stands_for, return_inverse=True)
    grid = np.stack(np.unravel_index(chosen, what.beams), -1) / what.beams
    beams = (grid + rng.integers(0, what.repeats, (len(chosen), 2))) * cell[:2]
    probe = abtem.Probe(
        energy=what.optics.voltage * 1e3, semiangle_cutoff=what.optics.semi_angle, tilt=(tilt, 0.0)
    )
    with abtem.config.set({"device": "cpu", "scheduler": "single-threaded", "fftw.threads": 1}):
        measured = probe.scan(
            potential,
            scan=abtem.CustomScan(beams[:, ::-1]),
            detectors=abtem.FlexibleAnnularDetector(step_size=RING),
        ).compute(progress_bar=False, scheduler="single-threaded")
    share = np.asarray(measured.array)[..., 0].reshape(len(what.layers), len(chosen), -1)
    return share[:, where.reshape(stands_for.shape)]


def annulus(share: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Sum the rings from inner to outer [mrad]; both are multiples of `RING`."""
    return share[..., round(inner / RING) : round(outer / RING)].sum(-1)
