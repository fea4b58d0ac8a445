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
    fit_columns,
    fitted_exponent,
    implied_exponent,
    likeness,
    mean_depth,
    peak_place,
    periodic_image,
    scaled_to,
)
from multislice_report import Panel, atoms_table, comparison_table, draw, tilt_table  # noqa: E402
from multislice_specimens import (  # noqa: E402
    Block,
    annulus,
    molybdenum_disulfide,
    signals,
    silicon,
    single_atom,
    strontium_titanate,
)

from stemnet.simulation.crystal import (  # noqa: E402
    ATOMIC_NUMBERS,
    Crystal,
    dichalcogenide,
    perovskite,
    zinc_blende,
)
from stemnet.simulation.probe import FWHM, Probe  # noqa: E402
from stemnet.simulation.rendering import expected  # noqa: E402
from stemnet.simulation.scene import Microscope, stage  # noqa: E402
from stemnet.simulation.specimen import grow  # noqa: E402

SAMPLING = 0.1
FRAME = 90
ELEMENTS = ("C", "O", "Si", "S", "Ti", "Se", "Sr", "Mo", "W")
ANNULI = {
    200.0: tuple((inner, 180) for inner in (40, 50, 60, 70, 80, 100, 120)),
    80.0: tuple((inner, 200) for inner in (50, 60, 70, 80, 100, 120)),
}
TILTS = (0.0, 3.0, 6.0, 10.0)


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
    microscope = Microscope(probe, SAMPLING, dose, smearing=study.smearing, background=0.0)
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
                    "exponent_heavy": fitted_exponent(numbers[numbers > 13], section[numbers > 13]),
                    "cross_section_A2": dict(zip(elements, section.tolist(), strict=True)),
                }
            )
    return rows


def tilted(cache: Path | None, quick: bool) -> list[dict[str, object]]:
    """Where the columns of SrTiO3 appear under a beam tilted towards +x, against mean depth times tilt.

    A beam that enters at x is at x + z tan(tilt) in depth z, so that what is seen
    in depth z alone would appear at -z tan(tilt). The mean depth of a column's
    signal is read from how it grows with thickness without tilt.
    """
    layers = (5, 10) if quick else tuple(range(5, 81, 5))
    block = strontium_titanate(layers)
    a, sigma, x = block.cell[0], block.optics.source_size / FWHM, np.arange(-4.0, 8.0, 0.02)
    thickness = np.array(layers) * a
    sites = {"Sr": 0.0, "TiO": a / 2}
    lines = (0, block.beams[0] // 2)
    rows = []
    for tilt in TILTS[:2] if quick else TILTS:
        profiles = []
        for configuration in range(2 if quick else 12):
            share, _ = signals(block, configuration, cache, tilt=tilt, rows=lines)
            seen = annulus(share, block.optics.inner, block.optics.outer)
            # The scanned lines are periodic in x alone: one row each, as tall as it likes.
            profiles.append(
                [[periodic_image(row[None], (a, a), np.zeros(1), x, sigma)[0] for row in one] for one in seen]
            )
        profile = np.array(profiles)
        n = len(profile)
        shifts = {}
        for which, (name, site) in enumerate(sites.items()):
            without = [(profile[:, :, which].sum(0) - one) / (n - 1) for one in profile[:, :, which]]
            shifts[name] = np.array([_followed(one, x, site) for one in without])
        height = {
            name: profile.mean(0)[:, w, _index(x, site)] for w, (name, site) in enumerate(sites.items())
        }
        if tilt == 0:
            depth = {name: mean_depth(thickness, values) for name, values in height.items()}
            straight = height
        apart = shifts["TiO"] - shifts["Sr"]
        for i, deep in enumerate(thickness):
            row: dict[str, object] = {"tilt_mrad": tilt, "thickness_nm": deep / 10}
            for name, values in shifts.items():
                row[f"shift_{name}_A"] = values[:, i].mean()
                row[f"shift_{name}_A_error"] = np.sqrt((n - 1) * values[:, i].var())
                row[f"mean_depth_{name}_A"] = depth[name][i]
                row[f"height_{name}"] = height[name][i] / straight[name][i]
            row["offset_A"] = apart[:, i].mean()
            row["offset_A_error"] = np.sqrt((n - 1) * apart[:, i].var())
            row["offset_by_depth_A"] = -(depth["TiO"][i] - depth["Sr"][i]) * np.tan(tilt * 1e-3)
            rows.append(row)
    return rows


def _index(x: np.ndarray, at: float) -> int:
    return int(np.argmin(np.abs(x - at)))


def _followed(profiles: np.ndarray, x: np.ndarray, site: float) -> np.ndarray:
    """Shift of a peak from its site, followed from thin to thick, (T,)."""
    places = [site]
    for profile in profiles:
        places.append(peak_place(profile, x, places[-1]))
    return np.array(places[1:]) - site


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
    atoms, tilts = exponents(options.cache, options.quick), tilted(options.cache, options.quick)
    shown = [row for row in rows if row.pop("shown")]
    print(comparison_table(shown), atoms_table(atoms), tilt_table(tilts), sep="\n\n")
    if options.json:
        told = {"cells": rows, "atoms": atoms, "tilted": tilts}
        options.json.write_text(json.dumps(told, indent=2, default=float) + "\n", encoding="utf-8")
    if options.pictures:
        draw(options.pictures, panels, rows, atoms, tilts)


if __name__ == "__main__":
    main()
