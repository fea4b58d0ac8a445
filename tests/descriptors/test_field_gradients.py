import numpy as np
import pytest
from polar_crystals import QUARTER_TURN, SWAP, cell_places, measured_example

from stemnet.descriptors.field_gradients import field_gradients, fitted_plane
from stemnet.errors import StemnetError


def by_name(table, name):
    return table.values[:, table.names.index(name)]


def test_the_gradients_of_a_plane_are_its_slopes_everywhere():
    _, yx = cell_places(noise=2.0)
    slopes = np.array([[0.03, -0.01], [0.02, 0.05]])  # d v_c / d r_s
    table = field_gradients(yx, yx @ slopes.T + [3.0, -1.0])
    assert table.valid.mean() > 0.8
    expected = [0.03, -0.01, 0.02, 0.05, 0.08, -0.03]
    np.testing.assert_allclose(table.complete, [expected] * table.valid.sum(), atol=1e-12)


def test_what_runs_from_x_to_y_has_a_positive_curl_and_no_divergence():
    _, yx = cell_places()
    table = field_gradients(yx, np.stack([yx[:, 1], -yx[:, 0]], axis=1))
    np.testing.assert_allclose(table.complete[:, 4:], [[0.0, 2.0]] * table.valid.sum(), atol=1e-12)


def test_errors_of_the_gradients_are_those_of_the_vectors():
    _, yx = cell_places(cells=40)
    rng = np.random.default_rng(2)
    sigma = rng.uniform(0.05, 0.2, yx.shape)
    table = field_gradients(yx, rng.normal(size=yx.shape) * sigma, sigma)
    inside = table.complete
    pulls = inside[:, :6] / inside[:, 6:]
    print("gradients over their errors, rms:", np.sqrt((pulls**2).mean(axis=0)).round(3))
    np.testing.assert_allclose(np.sqrt((pulls**2).mean(axis=0)), 1, atol=0.1)


def test_rows_stay_and_gaps_are_not_bridged():
    _, yx = cell_places()
    vectors = 0.1 * yx
    vectors[5] = np.nan
    valid = np.abs(yx[:, 0]) > 70  # a band is missing
    table = field_gradients(yx, vectors, valid=valid)
    assert len(table) == len(yx)
    assert not table.valid[~valid | (np.arange(len(yx)) == 5)].any()
    np.testing.assert_allclose(table.complete[:, 4], 0.2)
    order = np.random.default_rng(0).permutation(len(yx))
    shuffled = field_gradients(yx[order], vectors[order], valid=valid[order])
    np.testing.assert_allclose(shuffled.values, table.values[order], atol=1e-12)


def test_a_rotation_leaves_divergence_and_curl_alone_and_a_swap_turns_the_curl():
    _, yx = cell_places(noise=2.0)
    vectors = np.sin(yx / 60)[:, ::-1] + 0.01 * yx
    before = field_gradients(yx, vectors)
    after = field_gradients(yx @ QUARTER_TURN, vectors @ QUARTER_TURN)
    np.testing.assert_allclose(after.values[:, 4:], before.values[:, 4:], atol=1e-12)
    swapped = field_gradients(yx @ SWAP, vectors @ SWAP)
    np.testing.assert_allclose(swapped.values[:, 4:], before.values[:, 4:] * [1, -1], atol=1e-12)


def test_the_wall_of_a_flux_closure_has_curl_and_nothing_has_divergence():
    found, planted, *_ = measured_example("bifeo3_closure")
    table = field_gradients(found.yx, found.vectors, found.errors, valid=found.valid)
    truth = field_gradients(found.yx, planted, valid=found.valid)
    # neighbors share the columns of their cages, which the error bars do not know
    for name in ("divergence", "curl"):
        pull = ((by_name(table, name) - by_name(truth, name)) / by_name(table, f"sigma_{name}"))[table.valid]
        print(f"bifeo3_closure {name}: {np.sqrt((pull**2).mean()):.2f} of its error bars")
        assert 0.6 < np.sqrt((pull**2).mean()) < 1.2
    strong = np.abs(by_name(table, "curl")) > 5 * by_name(table, "sigma_curl")
    sources = np.abs(by_name(table, "divergence")) > 5 * by_name(table, "sigma_divergence")
    print(f"cells of strong curl {strong.sum()}, of strong divergence {sources.sum()}")
    assert strong.sum() > 60
    assert sources.sum() == 0


def test_a_plane_is_fitted_where_it_is_asked_for():
    _, yx = cell_places()
    vectors = yx @ np.array([[0.1, 0.0], [0.02, -0.1]]) + 1.0
    where = yx[:, 0] < 0
    np.testing.assert_allclose(fitted_plane(yx, np.where(where[:, None], vectors, 7.0), where), vectors)


@pytest.mark.parametrize(("count", "k"), [(0, 8), (8, 8), (30, 2)])
def test_too_few_vectors_are_refused(count, k):
    with pytest.raises(StemnetError, match=f"{count} vectors and k={k}"):
        field_gradients(np.random.default_rng(0).normal(size=(count, 2)), np.zeros((count, 2)), k=k)
