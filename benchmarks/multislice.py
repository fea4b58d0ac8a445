"""The fast model against multislice: ``python benchmarks/multislice.py [--json FILE] [--cache FOLDER] [--quick]``.

The same unit cells of the same specimens, imaged twice: by multislice with frozen phonons (abTEM,
``pip install "stemnet[abtem]"``), and by stemnet's incoherent model with the same probe, source and detector.
Printed for every thickness: how alike the images are, integrated intensities and widths of the columns, what
lies between them, absolute cross-sections, CPU-seconds; then the Z exponent of single atoms by collection
angle, and where a tilted beam makes the columns appear. ``--pictures FOLDER`` draws the figures of
docs/physics.md. Finished multislice runs are kept in ``--cache``, and a run that was cut off goes on there.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from multislice_analysis import (  # noqa: E402
    decay_fit,
    fit_columns,
    fitted_exponent,
    implied_exponent,
    likeness,
    periodic_image,
    scaled_to,
)
from multislice_report import Panel, atoms_table, comparison_table, decay_table, draw, tilt_table  # noqa: E402
from multislice_specimens import (  # noqa: E402
    Block,
    annulus,
    molybdenum_disulfide,
    signals,
    silicon,
    single_atom,
    strontium_titanate,
    sulfur_pair,
)
from multislice_tilt import tilted  # noqa: E402
from scipy.optimize import minimize_scalar  # noqa: E402

from stemnet.simulation.contrast import cross_section, z_exponent  # noqa: E402
from stemnet.simulation.crystal import (  # noqa: E402
    ATOMIC_NUMBERS,
    Crystal,
    dichalcogenide,
    perovskite,
    zinc_blende,
)
from stemnet.simulation.growth import grow  # noqa: E402
from stemnet.simulation.microscope import Microscope  # noqa: E402
from stemnet.simulation.probe import FWHM, Probe  # noqa: E402
from stemnet.simulation.rendering import expected  # noqa: E402
from stemnet.simulation.scene import stage  # noqa: E402

SAMPLING = 0.1
FRAME = 90
ELEMENTS = ("C", "O", "Si", "S", "Ti", "Se", "Sr", "Mo", "W")
ANNULI = {
    200.0: tuple((inner, 180) for inner in (40, 50, 60, 70, 80, 100, 120)),
    80.0: tuple((inner, 200) for inner in (50, 60, 70, 80, 100, 120)),
}


@dataclass(frozen=True)
class Study:
    """A specimen for both models.

    Parameters
    ----------
    block : Block
        For multislice.
    crystal : Crystal
        For the fast model.
    species : tuple of str
        Columns that are fitted; the first two are compared.
    tied : tuple of int
        Which of them share a width.
    diagonal : bool
        Whether the line profile runs along the diagonal, or down the left edge.
    smearing : float
        Thermal sigma for the fast model [A].
    configurations : int
    shown : tuple of int
        Layers that get a row in the table.
    drawn : tuple of int
        Layers that get a row in the figure.
    """

    block: Block
    crystal: Crystal
    species: tuple[str, ...]
    tied: tuple[int, ...]
    diagonal: bool
    smearing: float
    configurations: int
    shown: tuple[int, ...]
    drawn: tuple[int, ...]


def studies(quick: bool) -> list[Study]:
    """What is compared; `quick` leaves thick specimens and most configurations out."""
    layers = (1, 2, 5, 10) if quick else (1, 2, *range(5, 101, 5))
    shown = (5, 10) if quick else (5, 10, 25, 50, 75, 100)
    sheet, oxide, dumbbells = (2, 2, 2) if quick else (20, 14, 8)
    titanate = strontium_titanate(layers)
    return [
        Study(
            molybdenum_disulfide(), dichalcogenide(), ("Mo", "S2"), (0, 1), False, 0.057, sheet, (1,), (1,)
        ),
        Study(
            titanate,
            perovskite(),
            ("Sr", "TiO", "O"),
            (0, 1, 1),
            True,
            0.082,
            oxide,
            shown,
            shown[::2] if quick else (5, 50, 100),
        ),
        Study(
            silicon(layers),
            zinc_blende(),
            ("Si",),
            (0,),
            False,
            0.076,
            dumbbells,
            shown,
            shown[-1:] if quick else (10, 50),
        ),
    ]


def multislice_images(study: Study, cache: Path | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Share of the beam: images (configurations, layers, H, W), cell means (configurations, layers), CPU-seconds."""
    optics, axis = study.block.optics, np.arange(FRAME) * SAMPLING
    images, means, seconds = [], [], 0.0
    for configuration in range(study.configurations):
        share, cpu = signals(study.block, configuration, cache)
        seen = annulus(share, optics.inner, optics.outer)
        sigma = optics.source_size / FWHM
        images.append([periodic_image(one, study.block.cell[:2], axis, axis, sigma) for one in seen])
        means.append(seen.mean((1, 2)))
        seconds += cpu
    return np.array(images), np.array(means), seconds


def fast_image(study: Study, layers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Share of the beam (H, W), columns [A] and their species, CPU-seconds."""
    optics, dose = study.block.optics, 1e4
    thickness = None if study.crystal.period is None else layers * study.block.cell[2]
    specimen = grow(study.crystal, (FRAME * SAMPLING,) * 2, thickness=thickness)
    probe = Probe(optics.voltage, optics.semi_angle, source_size=optics.source_size)
    exponent = z_exponent(optics.voltage, optics.inner, optics.outer)
    microscope = Microscope(probe, SAMPLING, dose, exponent, smearing=study.smearing, background=0.0)
    start = time.process_time()
    scene = stage(specimen, microscope, (FRAME, FRAME), np.random.default_rng(0))
    image = expected([scene])[0].numpy().astype(float)
    cpu = time.process_time() - start
    return image / (dose * SAMPLING**2), specimen.yx, specimen.species, cpu


def line(study: Study, image: np.ndarray) -> np.ndarray:
    """The line through the columns."""
    return np.diagonal(image) if study.diagonal else image[:, 0]


def compare(study: Study, images: np.ndarray, means: np.ndarray, layer: int) -> dict[str, object]:
    """One row: a specimen at a thickness; `images` (configurations, H, W), `means` (configurations,)."""
    image, repeats = images.mean(0), study.block.layers[layer]
    fast, yx, species, cpu = fast_image(study, repeats)
    near = np.all((yx > -2) & (yx < FRAME * SAMPLING + 2), axis=1) & np.isin(species, study.species)
    yx, kind = yx[near], np.array([study.species.index(one) for one in species[near]])
    real, model = (fit_columns(one, SAMPLING, yx, kind, study.tied) for one in (image, fast))
    factor, offset, left = scaled_to(fast, image)
    area = study.block.cell[0] * study.block.cell[1]
    row: dict[str, object] = {
        "specimen": study.block.name,
        "repeats": repeats,
        "thickness_nm": repeats * study.block.cell[2] / 10 if study.crystal.period else 0.0,
        "correlation_image": likeness(image, fast),
        "correlation_line": likeness(line(study, image), line(study, fast)),
        "misfit": left / np.ptp(image),
        "scale": factor,
        "offset": offset / image.max(),
        "width_A": real.width.tolist(),
        "width_A_fast": model.width.tolist(),
        "column_A2": (real.volume / repeats).tolist(),
        "column_A2_fast": (model.volume / repeats).tolist(),
        "valley": image.min() / image.max(),
        "valley_fast": fast.min() / fast.max(),
        "cell_A2": means.mean() * area / repeats,
        "cell_A2_fast": model.background * area / repeats
        + sum(model.volume[kind_] * _per_cell(study, name) for kind_, name in enumerate(study.species))
        / repeats,
        "cpu_s_fast": cpu,
    }
    if study.block.name == "Si":
        row["dumbbell_A"], row["dumbbell_A_fast"] = (dumbbell(study, one, yx) for one in (image, fast))
    if len(study.species) > 1:
        first, second = study.species[:2]
        without = [(images.sum(0) - one) / (len(images) - 1) for one in images]
        fits = [fit_columns(one, SAMPLING, yx, kind, study.tied).volume for one in without]
        exponents = np.array([implied_exponent(v[0] / v[1], first, second) for v in fits])
        row["ratio"] = real.volume[0] / real.volume[1]
        row["ratio_fast"] = model.volume[0] / model.volume[1]
        row["exponent"] = implied_exponent(row["ratio"], first, second)
        # Jackknife: how far leaving one configuration out moves it.
        row["exponent_error"] = float(np.sqrt((len(fits) - 1) * np.var(exponents)))
        row["exponent_fast"] = implied_exponent(row["ratio_fast"], first, second)
    return row


def dumbbell(study: Study, image: np.ndarray, yx: np.ndarray) -> float:
    """How far apart the two columns of a dumbbell of Si appear [A]: no symmetry holds them in place."""
    height = study.block.cell[0]
    # Columns lie at 0 and 1/4 of the cell, and at 1/2 and 3/4: the first of each pair moves up.
    upper = np.round(4 * yx[:, 0] / height).astype(int) % 2 == 0
    kind = np.zeros(len(yx), dtype=int)

    def misfit(excess: float) -> float:
        moved = yx[:, 0] + np.where(upper, -0.5, 0.5) * excess
        return fit_columns(image, SAMPLING, np.stack([moved, yx[:, 1]], 1), kind, (0,)).residual

    return height / 4 + float(minimize_scalar(misfit, bounds=(-0.3, 0.3), method="bounded").x)


def _per_cell(study: Study, species: str) -> float:
    """Columns of a species on the rectangular cell."""
    crystal_area = abs(np.linalg.det(np.array(study.crystal.cell)))
    area = study.block.cell[0] * study.block.cell[1]
    return study.crystal.species.count(species) * area / crystal_area


def panel(study: Study, image: np.ndarray, repeats: int) -> Panel:
    """For the figure of images."""
    fast = fast_image(study, repeats)[0]
    factor, offset, _ = scaled_to(fast, image)
    fast = factor * fast + offset
    along = np.arange(FRAME) * SAMPLING * (np.sqrt(2) if study.diagonal else 1.0)
    thick = f", {repeats * study.block.cell[2] / 10:.0f} nm" if study.crystal.period else ""
    lines = line(study, image), line(study, fast)
    return Panel(study.block.name + thick, image, fast, along, *lines, SAMPLING)


def exponents(cache: Path | None, quick: bool) -> list[dict[str, object]]:
    """Cross-sections of single atoms [A^2] and the Z^n through them, by collection angle."""
    rows = []
    for voltage, ranges in ANNULI.items():
        elements = ELEMENTS[::4] if quick else ELEMENTS
        boxes = [single_atom(element, voltage) for element in elements]
        shares = [signals(box, 0, cache)[0] for box in boxes]
        numbers = np.array([ATOMIC_NUMBERS[element] for element in elements], dtype=float)
        for inner, outer in ranges:
            section = np.array([annulus(share, inner, outer).mean() for share in shares], dtype=float)
            section *= boxes[0].cell[0] * boxes[0].cell[1]
            rows.append(
                {
                    "voltage_kV": voltage,
                    "inner_mrad": inner,
                    "outer_mrad": outer,
                    "numbers": numbers.tolist(),
                    "exponent": fitted_exponent(numbers, section),
                    "exponent_fast": z_exponent(voltage, inner, outer),
                    "cross_section_A2": dict(zip(elements, section.tolist(), strict=True)),
                    "cross_section_fast_A2": cross_section(numbers, voltage, inner, outer).tolist(),
                }
            )
    return rows


def pairs(cache: Path | None, inner: float, outer: float) -> float:
    """How many times as much as one S atom the two of a column of MoS2 scatter: 2 if they did not interfere."""
    pair, one = (
        annulus(signals(block, 0, cache)[0], inner, outer).mean()
        for block in (sulfur_pair(), single_atom("S", 80.0))
    )
    return float(pair / one)


def decays(rows: list[dict[str, object]]) -> dict[str, dict[str, float]]:
    """The decay with depth of each column that is bright enough, from 2 nm on, by its species."""
    found = {}
    for name, index, species in (("SrTiO3", 0, "Sr"), ("SrTiO3", 1, "TiO"), ("Si", 0, "Si")):
        of = [row for row in rows if row["specimen"] == name and row["repeats"] >= 5]
        thickness = np.array([10 * row["thickness_nm"] for row in of], dtype=float)
        volume = np.array([row["column_A2"][index] * row["repeats"] for row in of])
        slope, mu, rms = decay_fit(thickness, volume)
        period = thickness[0] / of[0]["repeats"]
        found[species] = {"thin_A2": slope * period, "mu_per_A": mu, "rms": rms}
    return found


def main() -> None:
    """Simulate, compare, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--cache", type=Path, help="folder for finished multislice runs")
    parser.add_argument("--pictures", type=Path, help="folder for the figures")
    parser.add_argument("--quick", action="store_true", help="thin specimens, few configurations")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, panels = [], []
    for study in studies(options.quick):
        images, means, cpu = multislice_images(study, options.cache)
        table = [compare(study, images[:, i], means[:, i], i) for i in range(len(study.block.layers))]
        rows += [
            {**row, "cpu_s": cpu, "shown": layers in study.shown}
            for row, layers in zip(table, study.block.layers, strict=True)
        ]
        panels += [panel(study, images[:, study.block.layers.index(n)].mean(0), n) for n in study.drawn]
    decay = decays(rows)
    atoms = exponents(options.cache, options.quick)
    tilts = tilted(options.cache, options.quick, (decay["Sr"]["mu_per_A"], decay["TiO"]["mu_per_A"]))
    shown = [row for row in rows if row.pop("shown")]
    sheet = molybdenum_disulfide().optics
    pair = pairs(options.cache, sheet.inner, sheet.outer)
    print(comparison_table(shown), decay_table(decay), atoms_table(atoms), sep="\n\n")
    print(f"\nThe two S of a column of MoS2 at {sheet.voltage:.0f} kV: {pair:.2f} times one S\n")
    print(tilt_table(tilts))
    if options.json:
        told = {"cells": rows, "decay": decay, "atoms": atoms, "pair": pair, "tilted": tilts}
        options.json.write_text(json.dumps(told, indent=2, default=float) + "\n", encoding="utf-8")
    if options.pictures:
        draw(options.pictures, panels, rows, decay, atoms, tilts)


if __name__ == "__main__":
    main()
