"""The MoS2-ReS2 series, measured again from true columns by other means than those that planted it."""

import numpy as np
import pytest
from drawn_worlds import SEEDS, affine, around, inner, within, world
from scipy.spatial import cKDTree

from stemnet.simulation.quantities.fields import WallFade, random_patches


@pytest.mark.parametrize("rhenium", [0.05, 0.55, 0.78, 0.95])
def test_remos2_has_the_composition_and_the_order_that_were_asked_for(rhenium):
    specimen = world("remos2", 101, (900, 900), rhenium=rhenium).specimen
    metal = specimen.sublattice == 0
    re = (specimen.species == "Re")[metal]
    assert re.mean() == pytest.approx(rhenium, abs=0.015)
    # Unlike neighbors by distance, on the true positions.
    pairs = cKDTree(specimen.yx[metal]).query_pairs(4.0, output_type="ndarray")
    share = re.mean()
    warren_cowley = 1 - np.mean(re[pairs[:, 0]] != re[pairs[:, 1]]) / (2 * share * (1 - share))
    assert warren_cowley == pytest.approx(specimen.planted["warren_cowley"][0], abs=0.02)
    assert warren_cowley == pytest.approx(0.08, abs=0.04)
    rows = np.flatnonzero(metal)
    other = np.zeros(len(specimen), dtype=int)
    for one, two in (pairs.T, pairs.T[::-1]):
        np.add.at(other, rows[one], re[one] != re[two])
    chosen = metal & within(specimen, (900, 900), 0.12, 1.0)
    # A shell of 4 A takes in some second neighbors of chains, and loses none.
    agree = np.mean(other[chosen] == specimen.planted["unlike_neighbors"][chosen])
    assert agree > 0.9


@SEEDS
def test_metals_of_a_chain_come_together_as_rhenium_gathers(seed):
    mean = {}
    for rhenium in (0.05, 0.55, 0.95):
        made = world("remos2", seed, (512, 512), rhenium=rhenium)
        specimen = made.specimen
        metal = specimen.select((specimen.sublattice == 0) & inner(made, 2.0))
        nearest = cKDTree(metal.yx).query(metal.yx, k=2)[0][:, 1]
        mean[rhenium] = np.median(nearest)
        if rhenium == 0.95:
            # In-chain distances of ReS2: three of 2.7 to 2.9 A; undisturbed 3.16 to 3.2.
            full = metal.planted["chain_amplitude_A"] > 0.2
            assert full.mean() > 0.4
            assert 2.6 < np.median(nearest[full]) < 2.85
            assert np.mean((nearest[full] > 2.5) & (nearest[full] < 3.0)) > 0.9
    assert mean[0.05] > 3.05 > mean[0.55] > mean[0.95]


@SEEDS
def test_chain_amplitude_and_direction_come_back_from_neighbor_vectors(seed):
    """Second differences along the rows of a triangular lattice: 4 A across the chain where rows alternate."""
    made = world("remos2", seed, (512, 512), rhenium=0.95)
    specimen = made.specimen
    metal = specimen.select(specimen.sublattice == 0)
    index = {tuple(cell): row for row, cell in enumerate(metal.index[:, :2])}
    steps = np.array([[0, 1], [1, 0], [1, 1]])
    keep = np.flatnonzero(
        (metal.planted["chain_amplitude_A"] > 0.19) & within(metal, made.shape, made.microscope.sampling, 3.0)
    )
    found, planted = [], []
    for row in keep:
        i, j = metal.index[row, :2]
        curl = []
        for step in steps:
            ahead, behind = (index.get((i + s * step[0], j + s * step[1])) for s in (1, -1))
            if ahead is None or behind is None:
                break
            curl.append(metal.yx[row] - (metal.yx[ahead] + metal.yx[behind]) / 2)
        if len(curl) == 3:
            # Along its chain a metal's neighbors move with it across, so the row's second difference is small.
            found.append([np.hypot(*c) for c in curl])
            planted.append((metal.planted["chain_direction"][row], metal.planted["chain_amplitude_A"][row]))
    found, planted = np.array(found), np.array(planted)
    assert len(found) > 60
    assert np.mean(found.argmin(1) == planted[:, 0]) > 0.9
    # The larger of the two others is 2 A sqrt(1 + 1/16) or 2 A.
    ratio = found.max(1) / planted[:, 1]
    assert np.median(ratio) == pytest.approx(2.06, abs=0.12)


@SEEDS
def test_planted_modes_are_the_projections_of_true_neighbor_vectors(seed):
    made = world("remos2", seed, (512, 512), rhenium=0.78)
    specimen = made.specimen
    metal = specimen.select((specimen.sublattice == 0) & np.isfinite(specimen.planted["mode_1"]))
    rows = np.flatnonzero(within(metal, made.shape, made.microscope.sampling, 4.0))
    # The close-packed directions, from the positions alone.
    vectors, _ = around(metal.yx[rows], metal.yx, 7)
    vectors = vectors[:, 1:].reshape(-1, 2)
    cells = specimen.index[specimen.sublattice == 0][:, :2]
    ideal = (specimen.yx - specimen.displacement)[specimen.sublattice == 0]
    design = np.column_stack([cells, np.ones(len(cells))])
    basis = np.linalg.lstsq(design, ideal, rcond=None)[0][:2]
    steps = np.array([[0, 1], [1, 0], [1, 1]])
    steps = np.concatenate([steps, -steps])
    ways = steps @ basis
    order = np.argsort(np.mod(np.arctan2(ways[:, 0], ways[:, 1]) + 1e-9, 2 * np.pi))
    steps, ways = steps[order], ways[order]
    index = {tuple(cell): row for row, cell in enumerate(metal.index[:, :2])}
    half = np.array([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5]])
    along = np.array([[0, 1], [1, 0], [1, 1]]) @ basis
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.stack([along[:, 1], -along[:, 0]], 1)
    opposite = np.cos(2 * np.pi * half @ steps.T) < 0
    raw = [-(opposite[k][:, None] * d[k]).ravel() for d in (across, along) for k in range(3)]
    values, axes = np.linalg.eigh(np.array(raw) @ np.array(raw).T)
    modes = axes @ np.diag(values**-0.5) @ axes.T @ np.array(raw)
    expected, planted = [], []
    for row in rows:
        near = [index.get(tuple(metal.index[row, :2] + step)) for step in steps]
        if None in near:
            continue
        bonds = metal.yx[near] - metal.yx[row]
        mean = affine(bonds[None], ways[None])[0]
        expected.append(modes @ (bonds - ways @ mean.T).ravel())
        planted.append([metal.planted[f"mode_{k}"][row] for k in range(1, 7)])
    expected, planted = np.array(expected), np.array(planted)
    assert len(planted) > 100
    # Disorder of 0.02 A at both ends and strain that varies over a bond remain.
    assert np.sqrt(np.mean((expected - planted) ** 2)) < 0.06
    assert np.corrcoef(expected.ravel(), planted.ravel())[0, 1] > 0.95


@SEEDS
def test_chains_fade_with_the_distance_from_the_nearest_other_domain(seed):
    patches = random_patches((60.0, 60.0), 7, 3, np.random.default_rng(seed))
    grid = np.stack(np.meshgrid(np.arange(0, 60, 0.5), np.arange(0, 60, 0.5), indexing="ij"), -1).reshape(
        -1, 2
    )
    label = patches(grid)
    fade = WallFade(patches, 2.0)(grid)
    distance = np.full(len(grid), np.inf)
    for one in np.unique(label):
        distance[label == one] = cKDTree(grid[label != one]).query(grid[label == one])[0]
    # The next place of another label is up to a step of the grid farther than the wall; at corners lines bound it.
    assert np.all(fade <= np.tanh(distance / 2.0) + 1e-9)
    assert np.mean(fade < np.tanh((distance - 0.5) / 2.0) - 0.01) < 0.04
    # No step anywhere: neighbors on the grid differ by no more than the slope allows.
    square = fade.reshape(120, 120)
    assert max(np.abs(np.diff(square, axis=axis)).max() for axis in (0, 1)) < 0.26


def test_remos2_expands_as_vegard_says():
    """Mean metal spacing against the share of rhenium: 1.2 % from MoS2 to ReS2."""
    spacing = {}
    for rhenium in (0.05, 0.95):
        metal = world("remos2", 101, (512, 512), rhenium=rhenium).specimen
        metal = metal.select(metal.sublattice == 0)
        design = np.column_stack([metal.index[:, :2], np.ones(len(metal))])
        basis = np.linalg.lstsq(design, metal.yx, rcond=None)[0][:2]
        spacing[rhenium] = np.sqrt(abs(np.linalg.det(basis)) * 2 / np.sqrt(3))
    assert spacing[0.95] / spacing[0.05] - 1 == pytest.approx(0.9 * 0.012, abs=0.001)
