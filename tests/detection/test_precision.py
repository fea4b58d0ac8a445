import numpy as np
import pytest

from stemnet.detection.precision import cramer_rao
from stemnet.errors import StemnetError


def test_isolated_column_reaches_sigma_over_root_of_the_counts():
    width, amplitude = 3.0, 500.0
    bound = cramer_rao((61, 61), np.array([[30.2, 29.7]]), [amplitude], width, background=1e-3)
    counts = 2 * np.pi * amplitude * width**2
    np.testing.assert_allclose(bound, width / np.sqrt(counts), rtol=0.01)


def test_white_noise_follows_its_closed_form():
    # constant variance: F_yy = pi A^2 / (2 v) per axis
    bound = cramer_rao((61, 61), np.array([[30.0, 30.0]]), [40.0], 3.0, gain=0.0, offset_variance=9.0)
    np.testing.assert_allclose(bound, np.sqrt(2 * 9.0 / np.pi) / 40.0, rtol=1e-3)


def test_a_close_neighbor_costs_precision_along_the_pair_only():
    alone = cramer_rao((80, 80), np.array([[40.0, 35.0]]), [100.0], 3.0, background=5.0)
    pair = cramer_rao((80, 80), np.array([[40.0, 35.0], [40.0, 43.0]]), [100.0, 100.0], 3.0, background=5.0)
    assert pair[0, 1] > 1.1 * alone[0, 1]
    assert pair[0, 0] < 1.1 * alone[0, 0]


def test_more_electrons_and_fewer_unknowns_never_hurt():
    yx = np.array([[20.0, 20.0], [20.0, 28.0], [27.0, 24.0]])
    at = {
        w: cramer_rao((48, 48), yx, 80.0 * np.ones(3), 3.2, background=4.0, widths=w)
        for w in ("each", "common", "known")
    }
    assert (at["each"] >= at["common"] - 1e-12).all()
    assert (at["common"] >= at["known"] - 1e-12).all()
    more = cramer_rao((48, 48), yx, 320.0 * np.ones(3), 3.2, background=16.0)
    np.testing.assert_allclose(more, at["each"] / 2, rtol=1e-9)


def test_rows_choose_columns_and_a_column_off_the_image_is_unknown():
    yx = np.array([[20.0, 20.0], [300.0, 20.0], [24.0, 31.0]])
    whole = cramer_rao((48, 48), yx, np.ones(3), 3.0, background=0.1)
    assert np.isinf(whole[1]).all()
    assert np.isfinite(whole[[0, 2]]).all()
    np.testing.assert_allclose(
        cramer_rao((48, 48), yx, np.ones(3), 3.0, background=0.1, rows=[2]), whole[[2]]
    )


def test_counts_without_background_are_refused_in_words():
    with pytest.raises(StemnetError, match="background"):
        cramer_rao((200, 200), np.array([[20.0, 20.0]]), [1.0], 2.0)
