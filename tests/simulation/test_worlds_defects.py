"""Sheets, boundaries and particles, measured again from true columns."""

import numpy as np
import pytest
from drawn_worlds import SEEDS, around, world
from scipy.spatial import cKDTree

from stemnet.simulation.crystal import composition


@SEEDS
def test_wsse_turns_from_janus_to_selenide_and_counts_its_atoms(seed):
    specimen = world("wsse_janus", seed).specimen
    chalcogen = specimen.select(specimen.sublattice == 1)
    atoms = [composition(name) for name in chalcogen.species]
    np.testing.assert_array_equal(chalcogen.planted["selenium"], [one.get("Se", 0) for one in atoms])
    np.testing.assert_array_equal(chalcogen.planted["chalcogen"], [sum(one.values()) for one in atoms])
    np.testing.assert_array_equal(chalcogen.planted["occupancy"], [sum(one.values()) / 2 for one in atoms])
    share = chalcogen.planted["top_selenium_share"]
    expected = 0.97 * share + 0.93
    assert np.mean(chalcogen.planted["selenium"] - expected) == pytest.approx(0, abs=0.06)
    vacant = (chalcogen.planted["chalcogen"] < 2).mean()
    assert 0.02 < vacant < 0.09
    np.testing.assert_array_equal(
        chalcogen.planted["defect"] == "vacancy", chalcogen.planted["chalcogen"] < 2
    )
    assert set(specimen.species[specimen.sublattice == 0]) == {"W"}


@SEEDS
def test_mos2_has_the_defects_that_were_asked_for_and_ends_in_vacuum(seed):
    made = world("mos2_defects", seed, (512, 512))
    specimen = made.specimen
    sulfur = specimen.sublattice == 1
    whole = len(specimen.vacant) / (sulfur.sum() + len(specimen.vacant))
    half = np.mean(specimen.species[sulfur] == "S")
    assert whole == pytest.approx(0.04, abs=0.035)
    assert half == pytest.approx(0.04, abs=0.035)
    assert np.mean(specimen.species[~sulfur] == "Re") == pytest.approx(0.03, abs=0.03)
    # A vacancy stands where six others around a metal leave a gap.
    gap = cKDTree(specimen.yx).query(specimen.vacant.yx)[0]
    assert np.all((gap > 1.6) & (gap < 2.1))
    assert specimen.planted["edge_distance_A"].min() > -0.5
    staged = made.scene(seed)
    vacuum = staged.field_maps()["edge_distance_A"] < -3
    assert 0.03 < vacuum.mean() < 0.4
    image = made.simulation(seed).micrograph.image
    assert image[vacuum].mean() < 0.3 * image[~vacuum].mean()


@SEEDS
def test_graphene_has_few_electrons_silicon_and_holes(seed):
    made = world("graphene_low_dose", seed, (512, 512))
    specimen = made.specimen
    assert np.mean(specimen.species[specimen.sublattice == 0] == "Si") == pytest.approx(0.008, abs=0.006)
    assert len(specimen.vacant) / len(specimen) == pytest.approx(0.006, abs=0.005)
    columns = made.scene(seed).columns()
    assert np.median(columns["intensity"]) == pytest.approx(224, rel=0.03)
    bonds = cKDTree(specimen.yx).query(specimen.yx, k=2)[0][:, 1]
    assert np.median(bonds) == pytest.approx(1.42, abs=0.01)


# --- Boundaries, dislocations, dumbbells ------------------------------------------------------------------------


@SEEDS
def test_grains_are_turned_by_36_87_degrees(seed):
    made = world("grain_boundary", seed)
    specimen = made.specimen
    turns = []
    for grain in (0, 1):
        ours = specimen.select(
            (specimen.planted["grain"] == grain)
            & (specimen.sublattice == 0)
            & (specimen.planted["boundary_distance_A"] > 6)
        )
        vectors, _ = around(ours.yx, ours.yx, 5)
        vectors = vectors[:, 1:][np.linalg.norm(vectors[:, 1:], axis=2) < 4.5]
        # Fourfold: the phase of the fourth power; from y towards x.
        turn = np.angle(np.mean(np.exp(4j * np.arctan2(vectors[:, 1], vectors[:, 0])))) / 4
        turns.append(turn)
        planted = ours.planted["orientation_rad"][0]
        assert np.angle(np.exp(4j * (turn - planted))) / 4 == pytest.approx(0, abs=0.003)
    assert (np.degrees(turns[1] - turns[0]) - 36.87 + 45) % 90 - 45 == pytest.approx(0, abs=0.3)
    # Nothing is closer than the closest columns of the crystal, but for disorder.
    assert cKDTree(specimen.yx).query(specimen.yx, k=2)[0][:, 1].min() > 1.3


@SEEDS
def test_a_circuit_around_a_core_does_not_close_by_the_burgers_vector(seed):
    """Once around a core from column to column, each step counted in whole cells: the count ends one cell off."""
    made = world("dislocations", seed, (512, 512))
    specimen = made.specimen
    cores = np.array(specimen.fields["core_distance_A"].quantity.cores)
    assert len(cores) == 2
    columns = specimen.select(specimen.index[:, 2] == 0)
    for core in cores + specimen.flow[0](cores + 0.01):
        # Walk around the core in short steps; sum the lattice vectors that each step crosses.
        angle = np.linspace(0, 2 * np.pi, 41)
        ring = core + 11.0 * np.column_stack([np.sin(angle), np.cos(angle)])
        rows = cKDTree(columns.yx).query(ring)[1]
        counts = np.column_stack([columns.index[:, :2], np.ones(len(columns))])
        cell = np.linalg.lstsq(counts, columns.yx - columns.displacement, rcond=None)[0][:2]
        steps = np.diff(columns.yx[rows], axis=0)
        counted = np.round(steps @ np.linalg.inv(cell)).sum(0)
        assert np.hypot(*(counted @ cell)) == pytest.approx(3.19, abs=0.02)


@SEEDS
def test_dumbbells_are_1_36_angstrom_long_on_a_wedge(seed):
    made = world("si110_dumbbells", seed)
    specimen = made.specimen
    nearest = cKDTree(specimen.yx).query(specimen.yx, k=2)[0][:, 1]
    assert np.median(nearest) == pytest.approx(5.431 / 4, abs=0.01)
    size = np.array(made.shape) * made.microscope.sampling
    along = (specimen.yx @ size) / (size @ size)
    np.testing.assert_allclose(specimen.thickness, 40 + 20 * along.clip(0, 1), atol=0.1)


@SEEDS
def test_gold_gets_thinner_towards_its_rim_as_its_faces_have_it(seed):
    made = world("au_nanoparticle", seed)
    specimen = made.specimen
    columns = made.scene(seed).columns()
    repeats = specimen.planted["repeats"]
    np.testing.assert_array_equal(repeats, np.rint(repeats))
    # The planted thickness is the body's; whole atoms are what fits into it.
    assert np.abs(repeats - specimen.planted["thickness"]).max() <= 1.0
    # Along [110] four neighbors of 2.50 A, then two of 2.88 A.
    nearest = cKDTree(specimen.yx).query(specimen.yx, k=7)[0][:, 1:]
    whole = nearest[:, 5] < 3.2
    assert nearest[whole, :4].mean() == pytest.approx(4.078 * np.sqrt(3 / 8), abs=0.012)
    assert nearest[whole, 4:].mean() == pytest.approx(4.078 / np.sqrt(2), abs=0.02)
    # Faces are flat and the body is convex: along rows of columns the thickness bends down at edges, else not at all.
    thick = {
        tuple(cell): value for cell, value in zip(specimen.index, specimen.planted["thickness"], strict=True)
    }
    bends = [
        thick[i - di, j - dj, site] + thick[i + di, j + dj, site] - 2 * value
        for (i, j, site), value in thick.items()
        for di, dj in ((0, 1), (1, 0))
        if (i - di, j - dj, site) in thick and (i + di, j + dj, site) in thick
    ]
    assert len(bends) > 50
    assert np.max(bends) < 1e-9
    assert np.mean(np.abs(bends) < 1e-9) > 0.3
    # Brightness follows the atoms, and saturates.
    light, count = columns["intensity"], columns["repeats"]
    thin, thick = count < np.quantile(count, 0.3), count > np.quantile(count, 0.7)
    assert light[thick].mean() / light[thin].mean() < count[thick].mean() / count[thin].mean()
    assert light[thick].mean() > light[thin].mean()


@SEEDS
def test_single_atoms_keep_their_distance(seed):
    specimen = world("sparse_on_carbon", seed).specimen
    assert cKDTree(specimen.yx).query(specimen.yx, k=2)[0][:, 1].min() >= 2.4
    assert np.std(np.log(specimen.thickness)) == pytest.approx(0.08, rel=0.35)
