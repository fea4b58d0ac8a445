import numpy as np
import pytest
from planted_columns import measured_example

from stemnet.columns import Columns
from stemnet.simulation.examples import load_example
from stemnet.studies.framework import find_framework, first_rows
from stemnet.studies.measured import Measured


def perovskite(oxygen, *, false=0.0, cells=16, spacing=24.0, angle=0.3, gain=0.3, seed=0):
    """A, B and a share of the oxygen, faint and badly placed; kind of each column, 0 to 2, and 3 of false ones."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    places = [(0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.0, 0.5)]
    fraction = np.concatenate([grid + place for place in places])
    kind = np.repeat([0, 1, 2, 2], len(grid))
    seen = (kind < 2) | (rng.uniform(size=len(kind)) < oxygen)
    fraction, kind = fraction[seen], kind[seen]
    c, s = np.cos(angle), np.sin(angle)
    yx = (
        spacing * fraction @ np.array([[c, s], [-s, c]])
        + rng.normal(size=(len(kind), 2)) * np.array([0.1, 0.2, 0.8])[kind][:, None]
    )
    extra = rng.uniform(yx.min(axis=0), yx.max(axis=0), (round(false * len(yx)), 2))
    yx, kind = np.concatenate([yx, extra]), np.concatenate([kind, np.full(len(extra), 3)])
    brightness = np.array([4.0, 2.0, 0.4, 0.4])[kind] * rng.lognormal(0, 0.06, len(kind))
    brightness *= np.exp(gain * (yx[:, 0] - yx[:, 0].mean()) / np.ptp(yx[:, 0]))
    sigma = np.array([0.1, 0.2, 0.8, 0.8])[kind]
    yx = yx - yx.min(axis=0) + 5
    size = int(yx.max()) + 6
    return Columns(
        yx, (size, size), 0.16, {"intensity": brightness, "sigma_y": sigma, "sigma_x": sigma}
    ), kind


@pytest.mark.parametrize("oxygen", [0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_oxygen_seen_here_and_there_does_not_merge_the_cations(oxygen, seed):
    columns, kind = perovskite(oxygen, false=0.02, angle=seed, seed=seed)
    found = find_framework(columns)
    assert np.hypot(*found.lattice.vectors.T) == pytest.approx([24, 24], rel=0.01)
    label = np.asarray(found.columns["sublattice"])
    assert (label[kind == 0] == 0).mean() > 0.99
    assert (label[kind == 1] == 1).mean() > 0.99
    assert not np.isin(label[kind == 2], (0, 1)).any()
    assert found.firm[kind < 2].mean() > 0.99
    assert not found.firm[kind == 2].any()


def test_found_sublattices_of_the_bundled_images_are_those_that_were_planted():
    for name, merged in (
        ("srtio3_tilt_strain", True),
        ("srtio3_tilt_strain_abf", True),
        ("wsse_janus", False),
    ):
        measured = measured_example(name)
        found = find_framework(measured.columns)
        species = np.array([one[:2] for one in measured.truth.of("species")])
        label = np.asarray(found.columns["sublattice"])
        pure = [
            np.unique(species[label == s], return_counts=True)[1].max() / (label == s).sum() for s in (0, 1)
        ]
        assert min(pure[: 2 if merged else 1]) > 0.99
        assert ("times that of the positions" in found.note) == merged


def test_an_ordered_oxide_is_found_with_its_fourfold_cell():
    measured = measured_example("mvteo_m2")
    found = find_framework(measured.columns)
    species, label = measured.truth.of("species"), np.asarray(found.columns["sublattice"])
    rings = np.array([one.startswith("Te") for one in species])
    assert rings[label == 0].mean() > 0.98
    assert not rings[np.isin(label, (1, 2, 3))].any()


@pytest.mark.parametrize(
    "name", ["remos2_55", "remos2_95", "mos2_defects", "graphene_low_dose", "dislocations"]
)
def test_alloys_and_defects_do_not_make_the_cell_larger(name):
    found = find_framework(measured_example(name).columns)
    assert "times that of the positions" not in found.note


def test_without_intensity_or_lattice_it_is_said():
    columns = measured_example("dislocations").columns
    bare = Columns(columns.yx, columns.shape)
    found = find_framework(bare)
    assert found.lattice is not None
    assert found.firm.mean() > 0.9
    scattered = Columns(np.random.default_rng(0).uniform(0, 200, (60, 2)), (200, 200))
    none = find_framework(scattered)
    assert none.lattice is None
    assert none.note == "The columns follow no lattice."
    assert (none.columns["sublattice"] == 0).all()


def test_only_the_first_frame_is_studied():
    micrograph = load_example("dislocations").micrograph
    columns = Columns(np.zeros((3, 2)), (9, 9), None, {"frame": np.array([0, 1, 0])})
    assert first_rows(Measured("two", micrograph, columns)).tolist() == [True, False, True]
    assert first_rows(Measured("one", micrograph, Columns(np.zeros((2, 2)), (9, 9)))).all()


@pytest.mark.parametrize("share", [0.35, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_what_two_grains_have_in_common_is_no_lattice_of_either(share, seed):
    # sigma 5: two lattices, 36.87 degrees apart, share every fifth site, and all columns near one of these
    side, spacing, rng = 470, 24.0, np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(-30, 31)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    parts = []
    for sign, mine in ((1, lambda x: x < share * side - 4), (-1, lambda x: x > share * side + 4)):
        turn = spacing * np.array([[3.0, sign], [-sign, 3.0]]) / np.sqrt(10)
        for kind, place in enumerate(((0.0, 0.0), (0.5, 0.5))):
            yx = (grid + place) @ turn + side / 2 + rng.normal(0, 0.2, grid.shape)
            yx = yx[((yx > 0) & (yx < side)).all(axis=1) & mine(yx[:, 1])]
            parts.append((yx, np.full(len(yx), (4.0, 2.0)[kind])))
    yx, light = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = Columns(yx, (side, side), 0.16, {"intensity": light * rng.lognormal(0, 0.05, len(light))})
    found = find_framework(columns)
    print(len(columns), found.lattice.vectors.tolist(), found.lattice.confidence)
    assert np.hypot(*found.lattice.vectors.T) == pytest.approx([spacing, spacing], rel=0.01)
    assert abs(np.linalg.det(found.lattice.vectors)) == pytest.approx(spacing**2, rel=0.01)


def test_the_cell_of_a_bundled_boundary_is_that_of_its_crystal():
    columns = measured_example("grain_boundary").columns
    found = find_framework(columns)
    cell = abs(np.linalg.det(found.lattice.vectors)) * columns.sampling**2
    assert cell == pytest.approx(3.905**2, rel=0.02)
