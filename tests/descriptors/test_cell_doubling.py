import numpy as np
import pytest
from tilted_crystals import ANNULAR_DARK, ANTIPHASE, GROWN, SAMPLING, A, opposite_sides, tilted

from stemnet.columns import Columns
from stemnet.descriptors.cell_doubling import cell_doubling
from stemnet.descriptors.lattice import Lattice
from stemnet.errors import StemnetError
from stemnet.simulation.specimen import rotation


def test_anions_that_turn_double_the_cell():
    columns = tilted(brightness=ANNULAR_DARK)
    table = cell_doubling(columns, GROWN)
    assert table.names[:3] == ("doubling_y_A", "doubling_x_A", "doubling_A")
    amplitude = A / 2 * np.tan(0.11)
    for site in range(4):
        rows = table.valid & (columns["site"] == site)
        assert rows.sum() > 100
        expected = amplitude if site >= 2 else 0.0
        assert table.values[rows, 2].mean() == pytest.approx(expected, abs=0.005)
    # oxygen between B columns along y moves along x, and the other way round
    moved = [
        np.abs(table.values[table.valid & (columns["site"] == site), :2]).mean(axis=0) for site in (2, 3)
    ]
    assert moved[0][0] > 5 * moved[0][1]
    assert moved[1][1] > 5 * moved[1][0]


def test_antipolar_rows_of_cations_are_found_at_their_wave_vector_alone():
    columns = tilted("a-b+a-", (0.1, 0.05, 0.1), antipolar=0.2, brightness=ANNULAR_DARK)
    cations = columns.select(columns["site"] < 2)
    found = {}
    for q in ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
        table = cell_doubling(cations, wave_vector=q)
        found[q] = table.values[table.valid & (cations["site"] == 0), 2].mean()
    high = max(found, key=found.get)
    assert found.pop(high) == pytest.approx(0.2 / np.sqrt(2), abs=0.004)
    assert max(found.values()) < 0.01


def test_errors_of_the_order_parameter_are_honest():
    for q in ((0.5, 0.5), (0.5, 0.0)):
        pulls = []
        for seed in range(4):
            columns = tilted(brightness=ANNULAR_DARK, seed=seed)
            table = cell_doubling(columns, GROWN, wave_vector=q)
            rows = table.valid & (columns["site"] < 2)
            pulls.append((table.values[:, :2] / table.values[:, 3:5])[rows])
        spread = np.concatenate(pulls).std(axis=0)
        assert ((spread > 0.85) & (spread < 1.15)).all(), spread


def test_the_order_parameter_changes_sign_across_an_antiphase_boundary():
    columns = tilted(share=ANTIPHASE)
    left, right = opposite_sides(columns, cell_doubling(columns, GROWN).values[:, 2])
    assert min(np.abs(left).max(), np.abs(right).max()) > 0.05
    assert np.median(left) * np.median(right) < 0


def test_permuted_columns_permute_the_rows():
    columns = tilted()
    order = np.random.default_rng(0).permutation(len(columns))
    straight, shuffled = cell_doubling(columns, GROWN), cell_doubling(columns.select(order), GROWN)
    np.testing.assert_allclose(shuffled.values, straight.values[order], atol=1e-7)


@pytest.mark.parametrize("turn", [rotation(np.pi / 2), np.eye(2)[::-1]], ids=["rotation", "axes"])
def test_a_rotation_by_a_right_angle_or_swapped_axes_do_the_same_to_the_shift(turn):
    columns = tilted()
    turned = Columns(columns.yx @ turn.T, columns.shape, SAMPLING, columns.fields)
    lattice = Lattice(GROWN.vectors @ turn.T, 4, 1.0)
    before, after = cell_doubling(columns, GROWN).values, cell_doubling(turned, lattice).values
    np.testing.assert_allclose(after[:, 2], before[:, 2], atol=1e-7)
    np.testing.assert_allclose(np.abs(after[:, :2]), np.abs(before[:, :2] @ turn.T), atol=1e-7)


def test_a_vacancy_masks_the_cells_around_it():
    columns = tilted()
    oxygen = np.nonzero(columns["site"] == 2)[0]
    gone = oxygen[np.argmin(np.hypot(*(columns.yx[oxygen] - 250.0).T))]
    rest = np.arange(len(columns)) != gone
    before, after = (
        cell_doubling(columns, GROWN).valid[rest],
        cell_doubling(columns.select(rest), GROWN).valid,
    )
    assert (before & ~after).sum() == 8
    assert not (after & ~before).any()


def test_what_cannot_be_measured_is_said():
    with pytest.raises(StemnetError, match="does not double"):
        cell_doubling(tilted(), GROWN, wave_vector=(1 / 3, 1 / 3))
    with pytest.raises(StemnetError, match="4 columns"):
        cell_doubling(Columns(np.zeros((4, 2)), (9, 9)))
