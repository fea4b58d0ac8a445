from pathlib import Path

import numpy as np
import pytest
from tilted_crystals import (
    ANNULAR_DARK,
    ANTIPHASE,
    BRIGHT_FIELD,
    GROWN,
    SAMPLING,
    opposite_sides,
    tilted,
)

from stemnet.columns import Columns
from stemnet.descriptors.octahedral_tilt import octahedral_tilt
from stemnet.errors import StemnetError
from stemnet.simulation.specimen import rotation

DATA = Path(__file__).resolve().parents[2] / "simulated_data"


@pytest.mark.parametrize("brightness", [BRIGHT_FIELD, ANNULAR_DARK])
@pytest.mark.parametrize("angle", [0.03, 0.11, -0.2])
def test_the_planted_angle_is_found_within_half_a_degree_with_honest_errors(angle, brightness):
    pulls = []
    for seed in range(2):
        columns = tilted(angles=(0.0, 0.0, angle), brightness=brightness, seed=seed)
        table = octahedral_tilt(columns)
        assert table.names == ("tilt_rad", "tilt_amplitude_rad", "sigma_tilt_rad", "sigma_tilt_amplitude_rad")
        assert (columns["site"][table.valid] == 1).all()
        assert table.valid.sum() > 150
        off = (table.values[:, 0] - columns["tilt_rad"])[table.valid]
        assert np.degrees(np.sqrt((off**2).mean())) < 0.5
        assert table.values[table.valid, 1].mean() == pytest.approx(abs(angle), abs=np.radians(0.05))
        pulls.append(off / table.values[table.valid, 2])
    assert 0.85 < np.concatenate(pulls).std() < 1.15


def test_strain_shear_and_rotation_are_no_tilt():
    table = octahedral_tilt(tilted("a0a0c0", (0.0, 0.0, 0.0), sigma=0.0), GROWN, center=1)
    assert table.valid.sum() > 150
    assert np.degrees(np.abs(table.complete[:, 0]).max()) < 0.02


def test_tilts_that_do_not_project_give_no_angle():
    columns = tilted("a-b-c-", (0.1, 0.08, 0.12), sigma=0.0)
    assert np.degrees(np.nanmax(np.abs(octahedral_tilt(columns, GROWN, center=1).values[:, 0]))) < 0.02


@pytest.mark.parametrize("name", ["srtio3_tilt_strain_abf", "srtio3_tilt_strain"])
def test_the_frozen_image_s_true_columns_with_its_scan_errors(name):
    read = np.genfromtxt(DATA / f"{name}.truth.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    noise = np.random.default_rng(0).normal(0, 0.1, (len(read), 2))
    yx = np.stack([read["y_px"], read["x_px"]], axis=1) + noise
    table = octahedral_tilt(Columns(yx, (512, 512), SAMPLING, {"intensity": read["intensity"]}))
    off = (table.values[:, 0] - read["tilt_rad"])[table.valid]
    assert table.valid.sum() > 150
    assert np.degrees(np.sqrt((off**2).mean())) < 0.5
    assert np.degrees(np.median(np.abs(read["tilt_rad"]))) > 2


def test_the_amplitude_changes_sign_across_an_antiphase_boundary():
    columns = tilted(share=ANTIPHASE)
    left, right = opposite_sides(columns, octahedral_tilt(columns, GROWN, center=1).values[:, 1])
    assert min(np.abs(left).max(), np.abs(right).max()) > 0.05
    assert np.median(left) * np.median(right) < 0


def test_permuted_columns_permute_the_rows():
    columns = tilted()
    order = np.random.default_rng(0).permutation(len(columns))
    straight, shuffled = octahedral_tilt(columns), octahedral_tilt(columns.select(order))
    np.testing.assert_allclose(shuffled.values, straight.values[order], atol=1e-7)


@pytest.mark.parametrize(("turn", "sense"), [(rotation(np.pi / 2), 1), (np.eye(2)[::-1], -1)])
def test_a_rotation_by_a_right_angle_leaves_the_angle_and_swapped_axes_change_its_sign(turn, sense):
    columns = tilted()
    turned = Columns(columns.yx @ turn.T, columns.shape, SAMPLING, columns.fields)
    before, after = octahedral_tilt(columns).values, octahedral_tilt(turned).values
    np.testing.assert_allclose(after[:, 0], sense * before[:, 0], atol=1e-9)
    np.testing.assert_allclose(after[:, 1], before[:, 1], atol=1e-9)


def test_a_vacancy_masks_the_octahedra_around_it():
    columns = tilted()
    oxygen = np.nonzero(columns["site"] == 2)[0]
    gone = oxygen[np.argmin(np.hypot(*(columns.yx[oxygen] - 250.0).T))]
    rest = np.arange(len(columns)) != gone
    before = octahedral_tilt(columns, GROWN, center=1).valid[rest]
    after = octahedral_tilt(columns.select(rest), GROWN, center=1).valid
    assert (before & ~after).sum() == 2
    assert not (after & ~before).any()


def test_what_cannot_be_measured_is_said():
    columns = tilted()
    antipolar = tilted("a-b+a-", (0.1, 0.05, 0.1), antipolar=0.2, brightness=ANNULAR_DARK)
    for call, word in (
        (lambda: octahedral_tilt(Columns(np.zeros((4, 2)), (9, 9))), "4 columns"),
        (lambda: octahedral_tilt(columns.select(columns["site"] < 2)), "oxygen is seen"),
        (lambda: octahedral_tilt(antipolar.select(antipolar["site"] < 2)), "no sublattice has anions"),
        (lambda: octahedral_tilt(columns, GROWN, center=9), "no sublattice"),
    ):
        with pytest.raises(StemnetError, match=word):
            call()
