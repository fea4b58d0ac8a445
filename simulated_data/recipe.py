"""Make the frozen examples: ``python simulated_data/recipe.py``, or ``--check`` what is there.

Every example is a function of a seed alone that returns a specimen without
point defects, the same one with them, and a microscope. README.md says what is
planted in each.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tifffile
import torch
from scipy.spatial import cKDTree

import stemnet
from stemnet.columns import Columns
from stemnet.reading import read_micrograph
from stemnet.simulation.crystal import composition, dichalcogenide, honeycomb, perovskite, zinc_blende
from stemnet.simulation.defects.point import substitutions, two_layers, vacancies
from stemnet.simulation.defects.shape import cut
from stemnet.simulation.deformation import (
    smoothly_strained,
    step_across,
    strained,
    strained_across,
    twin_wall,
)
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.polar import polar_shift
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import Microscope, Scene, stage
from stemnet.simulation.specimen import Specimen, disordered, grow
from stemnet.storage import read_columns_csv, read_rows, write_metrics, write_rows

HERE = Path(__file__).resolve().parent
SHAPE = (512, 512)
Made = tuple[Specimen, Specimen, Microscope]


def pbtio3_domains(rng: np.random.Generator) -> Made:
    """Tetragonal PbTiO3 seen along an a axis: two ferroelastic 90-degree domains and a coherent wall."""
    a, c = 3.90, 4.15  # the long axis lies along y in domain 0 and along x in domain 1
    parent, sampling, wall = (c * a * a) ** (1 / 3), 0.17, 2.5
    size = sampling * np.array(SHAPE)
    upright, lying = np.diag([c, a]) / parent, np.diag([a, c]) / parent
    jump, normal = twin_wall(
        upright, lying
    )  # of the two walls, the one that polarization passes head to tail
    # Half of the twins' rotation each, so that both stand equally near the scan axes.
    turn = _rotation(-_angle((np.eye(2) + np.outer(jump, normal)) @ upright @ np.linalg.inv(lying)) / 2)
    first, jump, normal = turn @ upright, turn @ jump, turn @ normal
    crystal = perovskite(parent, "Pb", "Ti", name="PbTiO3")
    specimen = grow(crystal, tuple(size + 40), margin=0.0)
    specimen = strained(replace(specimen, yx=specimen.yx - size / 2 - 20), first - np.eye(2))
    # The wall lies between two rows of cations, so that each column has a domain.
    through = 0.75 * parent / np.sqrt(2) * normal
    beyond, _ = step_across(specimen.yx, normal, through, wall)
    gradient = np.eye(2) + beyond[:, None, None] * np.outer(jump, normal)
    specimen = strained_across(specimen, jump, normal, through, wall)
    # A shear that grows along x: u_y = g x^2 / 2, which no drift of the scan can imitate.
    x = specimen.yx[:, 1] + size[1] / 2
    shear = 0.01 * x / size[1]
    specimen = specimen.displaced(np.stack([shear * x / 2, np.zeros(len(x))], 1))
    long, short = (gradient @ first @ axis for axis in np.eye(2))
    tetragonality = np.hypot(*long.T) / np.hypot(*short.T)
    # Ti leaves the middle of its Pb cage along the long axis, O follows it three times as far; head to tail.
    upward, sideways = (axis / np.hypot(*axis.T)[:, None] for axis in (long, short))
    polar = 0.0377 * c * (upward + beyond[:, None] * (sideways - upward))
    specimen = replace(specimen, yx=specimen.yx + size / 2, displacement=np.zeros_like(specimen.yx))
    specimen = polar_shift(polar_shift(specimen, 1, polar), 2, 3 * polar)
    specimen = specimen.with_planted(
        domain=(beyond > 0.5).astype(int),
        tetragonality=tetragonality,
        shear=shear,
        polar_y_px=polar[:, 0] / sampling,
        polar_x_px=polar[:, 1] / sampling,
    )
    specimen = _framed(thermal_disorder(specimen, 0.02, rng), size, 25, heavy=0.7)
    microscope = Microscope(
        Probe(300, 24, defocus=10, astigmatism=8, source_size=0.95, tails=0.1),
        sampling=sampling,
        dose=20000,
        background=0.08,
        gradient=0.08,
        jitter=0.015,
        jitter_correlation=0.5,
        drift=(0.3, -0.4),
        wander=0.05,
    )
    return specimen, vacancies(vacancies(specimen, 0.008, rng, 0), 0.008, rng, 1), microscope


def bifeo3_polar(rng: np.random.Generator) -> Made:
    """BiFeO3 along a pseudocubic axis: the B site shifted along [110], reversed across a neutral wall."""
    sampling = 0.16
    size = sampling * np.array(SHAPE)
    specimen = grow(perovskite(3.96, "Bi", "Fe", name="BiFeO3"), tuple(size), orientation=0.05)
    along = _rotation(0.05) @ np.array([1.0, 1.0]) / np.sqrt(2)
    across = np.array([-along[1], along[0]])
    beyond, _ = step_across(specimen.yx, across, 0.5 * size + 3.96 / np.sqrt(8) * across, 3.0)
    polar = 0.25 * (2 * beyond - 1)[:, None] * along
    specimen = polar_shift(specimen, 1, polar).with_planted(
        domain=(beyond > 0.5).astype(int),
        polar_y_px=polar[:, 0] / sampling,
        polar_x_px=polar[:, 1] / sampling,
    )
    specimen = _framed(thermal_disorder(specimen, 0.025, rng), size, 20, heavy=0.7)
    microscope = Microscope(
        Probe(200, 24, astigmatism=10, coma=150, source_size=0.85, tails=0.1),
        sampling=sampling,
        dose=9000,
        background=0.1,
        contamination=0.02,
        jitter=0.02,
        drift=(-0.3, 0.3),
    )
    return specimen, specimen, microscope


def mos2_defects(rng: np.random.Generator) -> Made:
    """A MoS2 flake that ends in vacuum, with single and double S vacancies and Re on Mo sites."""
    size = 0.12 * np.array(SHAPE)
    specimen = grow(dichalcogenide(), tuple(size), orientation=0.2, margin=5.0)
    specimen = smoothly_strained(thermal_disorder(specimen, 0.03, rng), 0.004, 50.0, rng)
    y, x = specimen.yx.T
    rim = 0.8 * size[1] + 3.0 * np.sin(y / 7.0) + 0.25 * y
    specimen = _coordinated(cut(specimen, x < rim - 0.12 * size[0]), 1.95, 2)
    specimen = substitutions(specimen, 0.03, "Re", 0, rng)
    microscope = Microscope(
        Probe(80, 32, defocus=5, astigmatism=6, source_size=0.6, tails=0.12),
        sampling=0.12,
        dose=1.6e5,
        background=0.02,
        contamination=0.01,
        jitter=0.02,
        drift=(0.2, 0.2),
        wander=0.04,
    )
    return specimen, vacancies(specimen, 0.08, rng, sublattice=1), microscope


def si110_dumbbells(rng: np.random.Generator) -> Made:
    """Si along [110]: pairs of columns 1.36 A apart, few electrons, a thickness that varies."""
    size = 0.1 * np.array(SHAPE)
    specimen = _framed(grow(zinc_blende(), tuple(size), orientation=0.35), size, 50)
    microscope = Microscope(
        Probe(300, 22, defocus=15, source_size=0.7, tails=0.15),
        sampling=0.1,
        dose=6000,
        background=0.2,
        gradient=0.25,
        jitter=0.02,
    )
    specimen = thermal_disorder(specimen, 0.02, rng)
    return specimen, specimen, microscope


def graphene_low_dose(rng: np.random.Generator) -> Made:
    """Graphene in some 220 electrons an atom, with Si in C sites and vacancies."""
    size = 0.1 * np.array(SHAPE)
    specimen = smoothly_strained(grow(honeycomb(), tuple(size), orientation=-0.3), 0.005, 40.0, rng)
    specimen = substitutions(specimen, 0.008, "Si", 0, rng)
    microscope = Microscope(
        Probe(60, 36, source_size=0.6),
        sampling=0.1,
        dose=6e5,
        background=0.02,
        wander=0.05,
    )
    return specimen, vacancies(specimen, 0.006, rng), microscope


def wsse_janus(rng: np.random.Generator) -> Made:
    """WSSe, its S layer turned to Se more and more along x, with vacancies in both layers."""
    size = 0.12 * np.array(SHAPE)
    specimen = grow(dichalcogenide("W", "S", "Se", 3.25, "WSSe"), tuple(size), orientation=1.1)
    specimen = thermal_disorder(specimen, 0.03, rng)
    share = np.clip(specimen.yx[:, 1] / size[1], 0, 1)
    specimen = specimen.with_planted(top_selenium_share=share)
    made = two_layers(
        specimen,
        1,
        {"S": 0.97 * (1 - share), "Se": 0.97 * share, "": 0.03},
        {"S": 0.05, "Se": 0.93, "": 0.02},
        rng,
    )
    made = made.with_planted(selenium=np.array([composition(name).get("Se", 0) for name in made.species]))
    microscope = Microscope(
        Probe(80, 32, astigmatism=6, source_size=0.65, tails=0.1),
        sampling=0.12,
        dose=1.2e5,
        background=0.04,
        contamination=0.03,
        jitter=0.02,
        drift=(0.0, 0.3),
    )
    return specimen, made, microscope


def sparse_on_carbon(rng: np.random.Generator) -> Made:
    """Single Pt atoms and a few pairs on amorphous carbon, as a detector signal rather than counts."""
    size = 0.25 * np.array(SHAPE)
    specimen = disordered(tuple(size), separation=2.4, filling=0.045, species=("Pt",), rng=rng)
    specimen = replace(specimen, thickness=np.exp(rng.normal(0, 0.08, len(specimen))))
    microscope = Microscope(
        Probe(100, 31, source_size=0.9),
        sampling=0.25,
        dose=1.2e4,
        exponent=1.8,
        background=0.12,
        gradient=0.1,
        contamination=0.05,
        support=0.06,
        support_length=0.9,
        read_noise=1.0,
        afterglow=0.05,
        wander=0.05,
    )
    return specimen, specimen, microscope


@dataclass(frozen=True)
class Example:
    """A recipe and its seed; counts are stored as whole numbers, a detector's signal is not."""

    make: Callable[[np.random.Generator], Made]
    seed: int
    counts: bool = True


EXAMPLES = (
    Example(pbtio3_domains, 1),
    Example(bifeo3_polar, 2),
    Example(mos2_defects, 3),
    Example(si110_dumbbells, 4),
    Example(graphene_low_dose, 5),
    Example(wsse_janus, 6),
    Example(sparse_on_carbon, 7, counts=False),
)


def _rotation(angle: float) -> np.ndarray:
    """Turn (y, x) vectors from y towards x."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _angle(rotation: np.ndarray) -> float:
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))


def _framed(specimen: Specimen, size: np.ndarray, repeats: float, heavy: float = 1.0) -> Specimen:
    """Leave out what lies 10 A or more outside the frame, and give the specimen a thickness.

    Electrons leave heavy columns sooner: the brightness of sublattice 0 counts
    for the share `heavy`.
    """
    near = specimen.select(np.all((specimen.yx > -10) & (specimen.yx < size + 10), axis=1))
    return replace(near, thickness=repeats * np.where(near.sublattice == 0, heavy, 1.0))


def _coordinated(specimen: Specimen, reach: float, least: int) -> Specimen:
    """Drop columns of fewer than `least` neighbors within `reach` [A]: no edge leaves them hanging."""
    neighbors = [len(row) - 1 for row in cKDTree(specimen.yx).query_ball_point(specimen.yx, reach)]
    return specimen.select(np.array(neighbors) >= least)


def scene_of(example: Example) -> tuple[Scene, Specimen, Microscope]:
    """Draw an example: the scene, the specimen before its point defects, and the microscope."""
    pristine, specimen, microscope = example.make(np.random.default_rng([example.seed, 0]))
    return stage(specimen, microscope, SHAPE, np.random.default_rng([example.seed, 1])), pristine, microscope


def truth_of(columns: Columns) -> list[dict[str, object]]:
    """One row per true column in the frame."""
    renamed = {f"displacement_{axis}": f"displacement_{axis}_px" for axis in "yx"}
    fields = {renamed.get(name, name): values for name, values in columns.fields.items()}
    del fields["width"]  # one number for all, kept in the manifest
    table = {"y_px": columns.yx[:, 0], "x_px": columns.yx[:, 1], **fields}
    table = {name: np.round(v, 4) if v.dtype.kind == "f" else v for name, v in table.items()}
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def vacancies_of(scene: Scene, pristine: Specimen) -> list[dict[str, object]]:
    """One row per site in the frame that lacks atoms: what it was, and the share of atoms left."""
    distance, row = cKDTree(scene.specimen.yx).query(pristine.yx)
    atoms = np.array([sum(composition(name).values()) for name in pristine.species])
    left = np.array([sum(composition(name).values()) for name in scene.specimen.species[row]])
    occupancy = np.where(distance < 1e-6, np.minimum(left / atoms, 1.0), 0.0)
    yx = scene.appearing(pristine.yx)
    listed = (occupancy < 1) & np.all((yx >= -0.5) & (yx < np.array(scene.shape) - 0.5), axis=1)
    rows = zip(
        yx[listed], pristine.species[listed], pristine.sublattice[listed], occupancy[listed], strict=True
    )
    return [
        {
            "y_px": round(y, 4),
            "x_px": round(x, 4),
            "species": species,
            "sublattice": sublattice,
            "occupancy": share,
        }
        for (y, x), species, sublattice, share in rows
    ]


def make(folder: Path, examples: tuple[Example, ...] = EXAMPLES) -> None:
    """Write every example and the manifest into a folder."""
    entries = []
    for example in examples:
        name = example.make.__name__
        scene, pristine, microscope = scene_of(example)
        image = render([scene])[0].numpy()
        pixels = np.rint(image).astype(np.uint16) if example.counts else image
        files = [folder / f"{name}.tif", folder / f"{name}.truth.csv"]
        tifffile.imwrite(
            files[0],
            pixels,
            photometric="minisblack",
            compression="zlib",
            predictor=2 if example.counts else None,
            resolution=(1e8 / microscope.sampling,) * 2,
            resolutionunit="CENTIMETER",
            metadata=None,
            software=False,
        )
        rows, missing = truth_of(scene.columns()), vacancies_of(scene, pristine)
        write_rows(files[1], rows)
        if missing:
            files.append(folder / f"{name}.vacancies.csv")
            write_rows(files[-1], missing)
        entries.append(
            {
                "name": name,
                "recipe": f"recipe.py:{name}",
                "about": example.make.__doc__,
                "seed": example.seed,
                "shape": SHAPE,
                "unit": "electrons" if example.counts else "electrons, with read noise and afterglow",
                "columns": len(rows),
                "vacancies": len(missing),
                "column_width_px": round(scene.width, 4),
                "microscope": asdict(microscope),
                "sha256": {file.name: _hash(file) for file in files},
            }
        )
    versions = {module.__name__: module.__version__ for module in (stemnet, np, torch, tifffile)}
    write_metrics(folder / "manifest.json", {"versions": versions, "examples": entries})


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def compare(kept: Path, fresh: Path) -> list[str]:
    """What differs between two folders of examples by more than rounding and another torch's random draws."""
    complaints = []
    for example in EXAMPLES:
        name = example.make.__name__
        for kind in ("truth", "vacancies"):
            old, new = kept / f"{name}.{kind}.csv", fresh / f"{name}.{kind}.csv"
            if old.is_file() != new.is_file() or (old.is_file() and not _same_table(old, new)):
                complaints.append(f"{old.name} differs")
        old, new = (read_micrograph(folder / f"{name}.tif") for folder in (kept, fresh))
        if old.sampling != new.sampling or old.shape != new.shape:
            complaints.append(f"{name}.tif has another shape or sampling")
        elif not np.array_equal(old.image, new.image) and not _same_law(old.image, new.image):
            complaints.append(f"{name}.tif differs by more than counting noise")
    return complaints


def _same_table(old: Path, new: Path) -> bool:
    if read_rows(old)[0].keys() != read_rows(new)[0].keys():
        return False
    one, other = read_columns_csv(old, SHAPE), read_columns_csv(new, SHAPE)
    if len(one) != len(other) or not np.allclose(one.yx, other.yx, atol=2e-4):
        return False
    return all(
        np.allclose(values, other[name], rtol=1e-3, atol=2e-4)
        if values.dtype.kind == "f"
        else np.all(values == other[name])
        for name, values in one.fields.items()
    )


def _same_law(old: np.ndarray, new: np.ndarray, block: int = 16) -> bool:
    """Are two images draws from one expectation? Means of blocks may differ by their counting noise."""
    means = [image.reshape(-1, block, image.shape[1] // block, block).mean((1, 3)) for image in (old, new)]
    noise = np.sqrt((means[0] + means[1]).clip(1) / block**2)
    score = (means[0] - means[1]) / noise
    return bool(np.sqrt(np.mean(score**2)) < 1.3 and abs(score.mean()) < 0.2)


def preview(folder: Path, file: Path) -> None:
    """Draw every example: the whole field, and a quarter of it with the truth."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(EXAMPLES), figsize=(3 * len(EXAMPLES), 6.4), layout="constrained")
    for (above, below), example in zip(axes.T, EXAMPLES, strict=True):
        name = example.make.__name__
        image = read_micrograph(folder / f"{name}.tif").image
        truth = read_columns_csv(folder / f"{name}.truth.csv", SHAPE)
        low, high = np.percentile(image, [0.5, 99.8])
        for axis, part in ((above, image), (below, image[:160, :160])):
            axis.imshow(part, cmap="gray", vmin=low, vmax=high)
            axis.set_axis_off()
        above.set_title(name, fontsize=9)
        seen = truth.select(np.all(truth.yx < 159.5, axis=1))
        for sublattice, color in zip(
            np.unique(truth["sublattice"]), ("#e69f00", "#56b4e9", "#cc79a7"), strict=False
        ):
            below.plot(
                *seen.yx[seen["sublattice"] == sublattice].T[::-1], "o", mec=color, mfc="none", ms=5, mew=0.9
            )
    figure.savefig(file, dpi=75)


def main() -> int:
    """Write the examples here, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="make them anew elsewhere and compare")
    if parser.parse_args().check:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            complaints = compare(HERE, Path(folder))
        print("\n".join(complaints) or "The examples are what the recipe makes.")
        return 1 if complaints else 0
    make(HERE)
    preview(HERE, HERE / "preview.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
